"""Tasks: a blueprint told as a user would tell it, with the facts kept back from the first line (fuzzified)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

import orjson

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.simulated_user import audit_line
from synth.errors import Rejected
from synth.generators.tool_use.blueprint import Blueprint
from synth.generators.tool_use.workflow import Workflow
from synth.messages import Json

TASK_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "goal": {"type": "string", "minLength": 10, "maxLength": 400},
        "opening": {"type": "string", "minLength": 10, "maxLength": 300},
    },
    "required": ["goal", "opening"],
    "additionalProperties": False,
}
_TRIES = 5
_MANNERS = (
    "short and plain",
    "friendly and a little chatty",
    "in a hurry",
    "very polite",
    "slightly annoyed",
    "unsure how this works",
    "as a question",
    "telling first in a few words what happened",
    "without a greeting",
    "in casual words, as in a text message",
)
_EXAMPLES = (
    {"goal": "I want my table booking moved to a later hour.", "opening": "Hi, can I still change a booking I made?"},
    {
        "goal": "I want to stop my newspaper for two weeks.",
        "opening": "We're going away soon, please pause my paper.",
    },
    {
        "goal": "I want a second key card for my flat.",
        "opening": "Good morning! I'd need one more key card.",
    },
    {"goal": "I want to give my concert ticket back.", "opening": "Something came up and I can't make it to the show."},
    {"goal": "I want my gym membership ended.", "opening": "How do I get out of my membership?"},
    {
        "goal": "I want my parcel left with a neighbour.",
        "opening": "nobody's home, can you drop my parcel next door",
    },
)


@dataclass(frozen=True, slots=True)
class Task:
    """``opening`` is the user's first line; ``goal`` is what they want, told to the simulated user alone."""

    blueprint: Blueprint
    workflow: Workflow
    goal: str
    opening: str
    gives_up_at: int | None = None
    """The line of the user, from 1 (the opening is line 0), that takes everything back."""

    @property
    def unchanged(self) -> bool:
        """Whether the right thing is to change nothing."""
        return bool(self.blueprint.forbidden) or self.gives_up_at is not None

    @property
    def target_hash(self) -> str:
        return self.blueprint.start_hash if self.unchanged else self.blueprint.target_hash

    @property
    def ending(self) -> Literal["done", "refused", "withdrawn"]:
        """How the conversation has to end."""
        if self.gives_up_at is not None:
            return "withdrawn"
        return "refused" if self.blueprint.forbidden else "done"


async def tell_task(
    planner: Agent,
    context: UnitContext,
    blueprint: Blueprint,
    workflow: Workflow,
    *,
    place: str,
    tool_names: list[str],
    complaint: str = "",
    round: int = 0,
    checked: bool = True,
) -> Task:
    """Have the planner put a blueprint into a user's words; ``complaint`` is what a reviewer said of the last ones.

    Without ``checked`` the first ones are taken as they are. Raises ``Rejected`` when no try passes the checks.
    """
    rng = random.Random(context.sample_seed(f"manner.{round}"))
    variables = {
        "place": place,
        "actions": blueprint.actions,
        "facts": {name: fact.text for name, fact in workflow.facts.items()},
    }
    for attempt in range(_TRIES):
        examples = rng.sample(_EXAMPLES, 2)
        told = {
            "complaint": complaint,
            "manner": rng.choice(_MANNERS),
            "example": "\n".join(orjson.dumps(example).decode() for example in examples),
        }
        answer = await planner.ask(context, variables | told, sample=round * 100 + attempt)
        goal, opening = str(answer.value["goal"]).strip(), str(answer.value["opening"]).strip()
        complaint = check_opening(opening, workflow, tool_names)
        if not complaint and opening in {example["opening"] for example in _EXAMPLES}:
            complaint = "is the example's"
        if not complaint or not checked:
            return Task(blueprint, workflow, goal, opening)
        problem, complaint = complaint, f"its opening {complaint}"
    raise Rejected("task", f"the first line {problem}", text=opening)


def check_opening(opening: str, workflow: Workflow, tool_names: list[str]) -> str:
    """What is wrong with a first line, or nothing: so that the agent has to ask, it gives no fact away."""
    given = next((fact.text for fact in workflow.facts.values() if fact.told_in(opening)), None)
    if given is not None:
        return f"gives away {given!r}"
    return audit_line(opening, {}, [], tool_names)
