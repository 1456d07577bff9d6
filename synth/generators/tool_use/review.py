"""The review agent: it may refuse a task, and its reasons go back to the planner (APIGen-MT's review committee)."""

from __future__ import annotations

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.generators.tool_use.task import Task
from synth.messages import Json

MOST_ROUNDS = 3
"""Wordings of one task that are reviewed before it is given up."""

REVIEW_SCHEMA: Json = {
    "type": "object",
    "properties": {"reason": {"type": "string", "maxLength": 300}, "ok": {"type": "boolean"}},
    "required": ["reason", "ok"],
    "additionalProperties": False,
}


async def review(reviewer: Agent, context: UnitContext, task: Task, *, place: str, number: int) -> str:
    """Why the reviewer refuses the ``number``-th wording of a task, or nothing. No readable review refuses nothing."""
    variables = {
        "place": place,
        "actions": task.blueprint.actions,
        "facts": {name: fact.text for name, fact in task.workflow.facts.items()},
        "goal": task.goal,
        "opening": task.opening,
    }
    try:
        answer = await reviewer.ask(context, variables, sample=number)
    except Rejected:
        return ""
    return "" if answer.value["ok"] else str(answer.value["reason"]).strip(" .") or "it was refused without a reason"
