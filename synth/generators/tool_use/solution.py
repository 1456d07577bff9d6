"""The conversations of one task: the best becomes the example, the others stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from synth.agents.tool_loop import Conversation
from synth.environments.vocabulary import RecordedCall
from synth.environments.world import World
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.tool_use.reward import Criteria
from synth.generators.tool_use.task import Task
from synth.messages import Json, Message

_NOT_THE_ASSISTANT = frozenset({"user", "replay", "template", "schema", "empty", "content_filter", "length"})
"""Gates that end a conversation for what others did in it: no reason to prefer another."""


@dataclass(frozen=True, slots=True)
class Solution:
    """One conversation: with ``criteria`` where it stands, else with what it was ``rejected`` for."""

    talk: Conversation
    calls: tuple[RecordedCall, ...]
    criteria: Criteria | None = None
    rubric: Json = field(default_factory=dict)
    caught: int = 0
    rejected: Rejected | None = None

    @property
    def reward(self) -> float:
        return self.criteria.reward if self.criteria else 0.0

    @property
    def verdict(self) -> str:
        """Why it does not stand, or that it does."""
        return f"{self.rejected.gate}: {self.rejected.reason}" if self.rejected else "stands"

    def to_dict(self) -> Json:
        messages = [message.to_dict() for message in self.talk.messages]
        return {"reward": round(self.reward, 4), "verdict": self.verdict, "messages": messages}


def to_draft(
    task: Task, solutions: Sequence[Solution], world: World, system: str, *, world_seed: int, preference: bool
) -> Draft:
    """The example of a task. ``world_seed`` and the calls are all that it takes to replay it.

    Raises ``Rejected`` where no conversation stands, or no pair has a better side.
    """
    best = max(solutions, key=lambda solution: (solution.criteria is not None, solution.reward))
    if best.criteria is None:
        assert best.rejected is not None
        raise best.rejected
    others = [solution for solution in solutions if solution is not best]
    extra: Json = {
        "environment": world.name,
        "world_seed": world_seed,
        "goal": task.goal,
        "ending": task.ending,
        "actions": [{"name": action.tool, "arguments": dict(action.arguments)} for action in task.blueprint.actions],
        "target_state": task.target_hash,
        "changes": [_changes(number, call) for number, call in enumerate(best.calls) if call.result.changes],
        "faults": best.talk.faults,
        "gold": bool(best.talk.faults),
        "user_lines_caught": best.caught,
    }
    if best.rubric:
        extra["rubric"] = best.rubric
    if others:
        extra["solutions"] = [solution.to_dict() for solution in others]
    if preference:
        extra |= _pair(Message("system", system), best, others)
    criteria = best.criteria
    return Draft(
        messages=(Message("system", system), *best.talk.messages),
        tools=tuple(spec.tool for spec in world.tools),
        text=f"{task.goal}\n" + "\n".join(best.talk.said_by_user()),
        scores={
            "reward": round(criteria.reward, 4),
            "policy": round(criteria.policy, 4),
            "subgoals": round(criteria.subgoals, 4),
            "interaction": round(criteria.interaction, 4),
        },
        extra=extra,
    )


def _changes(number: int, call: RecordedCall) -> Json:
    return {"call": number, "tool": call.name, "changes": [change.to_dict() for change in call.result.changes]}


def _pair(system: Message, best: Solution, others: Sequence[Solution]) -> Json:
    """The columns of preference data: best and worst conversation, from the assistant's turn where they part."""
    worse = [one for one in others if one.rejected is None or one.rejected.gate not in _NOT_THE_ASSISTANT]
    for other in sorted(worse, key=lambda solution: solution.reward):
        at = _parting(best.talk.messages, other.talk.messages)
        if other.reward >= best.reward or at == len(other.talk.messages):
            continue
        if other.talk.messages[at].role == "assistant":
            return {
                "prompt": [message.to_dict() for message in (system, *best.talk.messages[:at])],
                "chosen": [message.to_dict() for message in best.talk.messages[at:]],
                "rejected": [message.to_dict() for message in other.talk.messages[at:]],
                "separates": f"reward {other.reward:.2f} instead of {best.reward:.2f}: {other.verdict}",
                "responses": [{"score": round(one.reward, 4), "reason": one.verdict} for one in (best, other)],
            }
    raise Rejected("preference", "no conversation is worse than the best from one turn of the assistant on")


def _parting(one: Sequence[Message], other: Sequence[Message]) -> int:
    for number, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if _said(mine) != _said(theirs):
            return number
    return min(len(one), len(other))


def _said(message: Message) -> object:
    """What counts as the same turn: ids of calls are names that the engine gives."""
    return message.role, message.content, [(call.name, call.arguments) for call in message.tool_calls]
