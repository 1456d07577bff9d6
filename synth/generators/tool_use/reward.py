"""The reward of a conversation (SYNTHAGENT, arXiv 2601.22511, rubric reward), with its criteria checked by program.

Where tools are code, the end state is stronger evidence than a judge, so here: P, the policy, is whether the
environment's invariants hold; S, the sub-goals, is the share of the blueprint's actions that were carried out (all of
them where the end state is the target, whichever way it was reached); U, the interaction, is the share of the values
in the assistant's changes, and of the facts that only the user knew, that it used only after the user or a tool had
said them. A judge adds what a program cannot see (:mod:`synth.generators.tool_use.rubric`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from synth.environments.vocabulary import RecordedCall
from synth.generators.tool_use.blueprint import Action
from synth.generators.tool_use.describing import states
from synth.generators.tool_use.task import Task
from synth.generators.tool_use.workflow import Fact
from synth.messages import Message


@dataclass(frozen=True, slots=True)
class Criteria:
    """Each the share passed, from 0 to 1: policy, sub-goals, user interaction."""

    policy: float
    subgoals: float
    interaction: float

    @property
    def reward(self) -> float:
        """R = 0 if P < 0.5 or S < 0.3, otherwise 0.7·S + 0.3·U."""
        if self.policy < 0.5 or self.subgoals < 0.3:
            return 0.0
        return 0.7 * self.subgoals + 0.3 * self.interaction


def judge(
    task: Task,
    messages: Sequence[Message],
    calls: Sequence[RecordedCall],
    *,
    end_hash: str,
    violations: Sequence[str],
) -> Criteria:
    """The criteria of a conversation. ``messages`` hold the tool calls in the order of ``calls``."""
    actions = task.blueprint.actions
    reached = end_hash == task.target_hash
    done = sum(_carried_out(action, calls) for action in actions)
    told = [told_before_use(value, messages) for value in _changed_with(calls)]
    for fact in task.workflow.facts.values():
        tools = {step.tool for step in task.workflow.steps if fact.name in step.needs}
        told.append(told_before_use(fact.text, messages) if fact.exact else _described(fact, tools, messages))
    counted = [one for one in told if one is not None]
    return Criteria(
        policy=0.0 if violations else 1.0,
        subgoals=1.0 if reached else 0.0 if task.unchanged else done / len(actions),
        interaction=sum(counted) / len(counted) if counted else 1.0,
    )


def _carried_out(action: Action, calls: Sequence[RecordedCall]) -> bool:
    return any(
        call.name == action.tool and not call.result.error and orjson.loads(call.arguments) == dict(action.arguments)
        for call in calls
    )


def _changed_with(calls: Sequence[RecordedCall]) -> list[str]:
    """Every value of the calls that changed something, once."""
    changed = [orjson.loads(call.arguments) for call in calls if call.result.wrote]
    return list(dict.fromkeys(value for arguments in changed for value in _values(arguments)))


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    elif isinstance(value, str) and value.strip():
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield orjson.dumps(value).decode()


def told_before_use(value: str, messages: Sequence[Message]) -> bool | None:
    """Whether the user or a tool stated the value before the assistant first used it in a call; None if it never did.

    A tool that repeats what it was called with has not told it.
    """
    for message in messages:
        if message.role in ("user", "tool") and states(message.content or "", value):
            return True
        if any(states(call.arguments, value) for call in message.tool_calls):
            return False
    return None


def _described(fact: Fact, tools: Collection[str], messages: Sequence[Message]) -> bool | None:
    """Whether the user described the thing before one of the ``tools`` that need it was called; None if none was."""
    said = ""
    for message in messages:
        if message.role == "user":
            said += f" {message.content or ''}"
        if any(call.name in tools for call in message.tool_calls):
            return fact.told_in(said)
    return None
