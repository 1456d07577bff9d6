"""Tasks: a blueprint told as a user would tell it, with the facts kept back from the first line (fuzzified)."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.simulated_user import audit_line
from synth.errors import Rejected
from synth.generators.tool_use.blueprint import Action, Blueprint
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
_AS_THE_SERVICE = re.compile(
    r"\byour (\w+ )?(order|account|address|payment|item|delivery|e-?mail|name|price)|\bhelp you\b", re.IGNORECASE
)
_OF_THE_TASK = re.compile(
    r"\b(opening|(?:my|original) wish|own words|first message)\b|\bhelp me (begin|say)", re.IGNORECASE
)
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
_OPENINGS = (
    "Hi, I'd like to {}, please.",
    "Hello, can you help me to {}?",
    "I need to {}.",
    "Good morning, I would like to {}.",
    "hey, how can I {}?",
    "Is it still possible to {}?",
    "Could you help me? I want to {}.",
)
# Always the same, in the same order: what all prompts begin with, a server reads once.
_EXAMPLES = (
    {
        "wish": "Move my booking to another time",
        "manner": "as a question",
        "goal": "I want my table booking moved to a later hour.",
        "opening": "Hi, can I still change a booking I made?",
    },
    {
        "wish": "Pause my subscription",
        "manner": "friendly and a little chatty",
        "goal": "I want my newspaper paused for two weeks.",
        "opening": "Hello there! We're going away soon, so I'd like to pause my paper.",
    },
    {
        "wish": "Issue a further key card to me",
        "manner": "very polite",
        "goal": "I want a second key card for my flat.",
        "opening": "Good morning, I would be grateful for one more key card.",
    },
    {
        "wish": "Take back my ticket",
        "manner": "telling first in a few words what happened",
        "goal": "I want to give my concert ticket back.",
        "opening": "Something came up and I can't make it to the show. I'd like to return my ticket.",
    },
    {
        "wish": "End my membership",
        "manner": "slightly annoyed",
        "goal": "I want my gym membership ended.",
        "opening": "I've had enough of this gym, please end my membership.",
    },
    {
        "wish": "Leave my parcel somewhere else",
        "manner": "in casual words, as in a text message",
        "goal": "I want my parcel left with a neighbour.",
        "opening": "hey, nobody's home, can you drop my parcel next door",
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
    anchored: bool = False,
) -> Task:
    """Have the planner put a blueprint into a user's words; ``complaint`` is what a reviewer said of the last ones.

    ``anchored``: a small model is shown a first line that would do. Without ``checked`` the first ones are taken as
    they are. Raises ``Rejected`` when no try passes the checks.
    """
    rng = random.Random(context.sample_seed(f"manner.{round}"))
    variables: Json = {
        "place": place,
        "actions": blueprint.actions,
        "wish": "; ".join(as_wish(action.description) for action in blueprint.actions),
        "facts": {name: fact.text for name, fact in workflow.facts.items()},
    }
    for attempt in range(_TRIES):
        told: Json = {"complaint": complaint, "manner": rng.choice(_MANNERS), "examples": _EXAMPLES}
        told["anchor"] = rng.choice(_OPENINGS).format(in_short(blueprint.actions)) if anchored else ""
        answer = await planner.ask(context, variables | told, sample=round * 100 + attempt)
        goal, opening = str(answer.value["goal"]).strip(), str(answer.value["opening"]).strip()
        complaint = check_opening(opening, workflow, tool_names, wish=variables["wish"] if anchored else "")
        if not complaint and opening in {example["opening"] for example in _EXAMPLES}:
            complaint = "is the example's"
        if not complaint or not checked:
            return Task(blueprint, workflow, goal, opening)
        problem, complaint = complaint, f"its opening {complaint}"
    raise Rejected("task", f"the first line {problem}", text=opening)


def in_short(actions: Sequence[Action]) -> str:
    """What is wanted, by the tools' names: ``cancel my order``."""
    wishes = []
    for action in actions:
        verb, _, rest = action.tool.replace("_", " ").partition(" ")
        wishes.append(f"{verb} my {rest.removeprefix('customer ')}" if rest else as_wish(action.description).lower())
    return " and ".join(wishes)


def as_wish(description: str) -> str:
    """What a tool does, as who it is done for says it: ``Cancel a pending order.`` is ``Cancel my pending order``."""
    wish = re.split(r"[.:;]\s", description.strip() + " ")[0].split("\n")[0]
    wish = re.sub(r"\b(?:a|the) customer's\b", "my", wish)
    wish = re.sub(r"\bof (?:a|the) customer\b", "of mine", wish)
    wish = re.sub(r"\b(?:a|the) customer\b", "me", wish)
    return wish if re.search(r"\bmy\b", wish) else re.sub(r"\ban? (?!further|another)", "my ", wish, count=1)


def check_opening(opening: str, workflow: Workflow, tool_names: list[str], *, wish: str = "") -> str:
    """What is wrong with a first line, or nothing: so that the agent has to ask, it gives no fact away."""
    if wish and not _stems(opening) & _stems(wish):
        return "does not say what it is about"
    if found := _AS_THE_SERVICE.search(opening):
        return f"is written as if by the service ({found[0]!r})"
    if found := _OF_THE_TASK.search(opening):
        return f"talks of how it is written ({found[0]!r})"
    sentences = re.split(r"(?<=[.!?])\s+", opening.casefold())
    if len(set(sentences)) < len(sentences):
        return "says the same thing twice"
    given = next((fact.text for fact in workflow.facts.values() if fact.told_in(opening)), None)
    if given is not None:
        return f"gives away {given!r}"
    return audit_line(opening, {}, [], tool_names)


def _stems(text: str) -> set[str]:
    """Words that say something, cut so that ``cancelled`` is ``cancel``."""
    return {word[:5] for word in re.findall(r"[a-z]{4,}", text.casefold())} - {"pendi", "anoth", "other", "their"}
