"""The conversations of one task: the best becomes the example, the others stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synth.agents.tool_loop import Conversation
from synth.environments.vocabulary import RecordedCall
from synth.environments.world import World
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.tool_use.reward import Criteria
from synth.generators.tool_use.task import Task
from synth.messages import Json, Message


@dataclass(frozen=True, slots=True)
class Solution:
    """One conversation: with ``criteria`` where it stands, else with what it was ``rejected`` for."""

    talk: Conversation
    calls: tuple[RecordedCall, ...]
    criteria: Criteria | None = None
    caught: int = 0
    rejected: Rejected | None = None

    @property
    def reward(self) -> float:
        return self.criteria.reward if self.criteria else 0.0

    def to_dict(self) -> Json:
        verdict = f"{self.rejected.gate}: {self.rejected.reason}" if self.rejected else "stands"
        messages = [message.to_dict() for message in self.talk.messages]
        return {"reward": round(self.reward, 4), "verdict": verdict, "messages": messages}


def to_draft(task: Task, solutions: Sequence[Solution], world: World, system: str, *, preference: bool) -> Draft:
    """The example of a task. Raises ``Rejected`` where no conversation stands, or no pair has a better side."""
    best = max(solutions, key=lambda solution: (solution.criteria is not None, solution.reward))
    if best.criteria is None:
        assert best.rejected is not None
        raise best.rejected
    others = [solution for solution in solutions if solution is not best]
    extra: Json = {
        "environment": world.name,
        "goal": task.goal,
        "ending": task.ending,
        "actions": [{"name": action.tool, "arguments": dict(action.arguments)} for action in task.blueprint.actions],
        "target_state": task.target_hash,
        "changes": [_changes(number, call) for number, call in enumerate(best.calls) if call.result.changes],
        "faults": best.talk.faults,
        "recovered": bool(best.talk.faults),
        "user_lines_caught": best.caught,
    }
    if others:
        extra["solutions"] = [solution.to_dict() for solution in others]
    if preference:
        extra |= _pair(best, others)
    criteria = best.criteria
    return Draft(
        messages=(Message("system", system), *best.talk.messages),
        tools=tuple(spec.tool for spec in world.tools),
        text=f"{task.goal}\n" + "\n".join(best.talk.said_by_user()),
        scores={
            "reward": round(criteria.reward, 4),
            "policy": criteria.policy,
            "subgoals": round(criteria.subgoals, 4),
            "interaction": round(criteria.interaction, 4),
        },
        extra=extra,
    )


def _changes(number: int, call: RecordedCall) -> Json:
    return {"call": number, "tool": call.name, "changes": [change.to_dict() for change in call.result.changes]}


def _pair(best: Solution, others: Sequence[Solution]) -> Json:
    """The worst conversation from where it parts with the best, and the place of that turn in the messages."""
    for other in sorted(others, key=lambda solution: solution.reward):
        if other.reward >= best.reward:
            continue
        at = _parting(best.talk.messages, other.talk.messages)
        if at < len(other.talk.messages) and other.talk.messages[at].role == "assistant":
            rejected = [message.to_dict() for message in other.talk.messages[at:]]
            return {"rejected": rejected, "parts_at": at + 1}  # behind the system message
    raise Rejected("preference", "no conversation is worse than the best from one turn of the assistant on")


def _parting(one: Sequence[Message], other: Sequence[Message]) -> int:
    for number, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if _said(mine) != _said(theirs):
            return number
    return min(len(one), len(other))


def _said(message: Message) -> object:
    """What counts as the same turn: ids of calls are names that the engine gives."""
    return message.role, message.content, [(call.name, call.arguments) for call in message.tool_calls]
