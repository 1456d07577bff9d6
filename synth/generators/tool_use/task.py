"""Tasks: a blueprint told as a user would tell it, with the facts kept back from the first line (fuzzified)."""

from __future__ import annotations

from dataclasses import dataclass

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.generators.tool_use.blueprint import Blueprint
from synth.messages import Json

TASK_SCHEMA: Json = {
    "type": "object",
    "properties": {"goal": {"type": "string", "minLength": 10}, "opening": {"type": "string", "minLength": 10}},
    "required": ["goal", "opening"],
    "additionalProperties": False,
}
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Task:
    """``opening`` is the user's first line; ``goal`` is what they want, told to the simulated user alone."""

    blueprint: Blueprint
    goal: str
    opening: str


async def tell_task(
    planner: Agent, context: UnitContext, blueprint: Blueprint, *, place: str, tool_names: list[str]
) -> Task:
    """Have the planner put a blueprint into a user's words. Raises ``Rejected`` when no try passes the checks."""
    complaint = ""
    for attempt in range(_TRIES):
        variables = {"place": place, "actions": blueprint.actions, "complaint": complaint}
        answer = await planner.ask(context, variables, sample=attempt)
        goal, opening = str(answer.value["goal"]).strip(), str(answer.value["opening"]).strip()
        complaint = check_opening(opening, blueprint, tool_names)
        if not complaint:
            return Task(blueprint, goal, opening)
    raise Rejected("task", f"the first line {complaint}", text=opening)


def check_opening(opening: str, blueprint: Blueprint, tool_names: list[str]) -> str:
    """What is wrong with a first line, or nothing: so that the agent has to ask, it gives no fact away."""
    lowered = opening.lower()
    given = next((text for text in blueprint.facts.values() if len(text) > 1 and text.lower() in lowered), None)
    if given is not None:
        return f"gives away {given!r}"
    named = next((name for name in tool_names if name.lower() in lowered), None)
    return f"names the tool {named}" if named is not None else ""
