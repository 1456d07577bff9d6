"""The reward of a conversation (SYNTHAGENT, arXiv 2601.22511, rubric reward), with its criteria checked by program.

Where tools are code, the end state is stronger evidence than a judge, so here: P, the policy, is whether the
environment's invariants hold; S, the sub-goals, is the share of the blueprint's actions that were carried out (all of
them where the end state is the target, whichever way it was reached); U, the interaction, is the share of the facts
that the assistant acted on only after the user or a tool had told it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from synth.environments.vocabulary import RecordedCall
from synth.generators.tool_use.blueprint import Blueprint
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
    blueprint: Blueprint,
    messages: Sequence[Message],
    calls: Sequence[RecordedCall],
    *,
    end_hash: str,
    violations: Sequence[str],
) -> Criteria:
    """The criteria of a conversation. ``messages`` hold the tool calls in the order of ``calls``."""
    done = sum(_carried_out(action.tool, dict(action.arguments), calls) for action in blueprint.actions)
    subgoals = 1.0 if end_hash == blueprint.target_hash else done / len(blueprint.actions)
    told = [_told_before_use(fact, messages) for fact in blueprint.facts.values()]
    return Criteria(
        policy=0.0 if violations else 1.0,
        subgoals=subgoals,
        interaction=sum(told) / len(told) if told else 1.0,
    )


def _carried_out(tool: str, arguments: dict[str, object], calls: Sequence[RecordedCall]) -> bool:
    return any(
        call.name == tool and not call.result.error and orjson.loads(call.arguments) == arguments for call in calls
    )


def _told_before_use(fact: str, messages: Sequence[Message]) -> bool:
    """Whether the user or a tool stated the fact before the assistant first used it in a call."""
    for message in messages:
        if message.role in ("user", "tool") and fact.lower() in (message.content or "").lower():
            return True
        if any(fact.lower() in call.arguments.lower() for call in message.tool_calls):
            return False
    return False
