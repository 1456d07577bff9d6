"""Write a question, have a program look at it, and write it again: before anything is spent on solving it. What was
wrong is not told to the writer, for a small model puts it into the question."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.diversity.lexical import overlap
from synth.errors import Rejected
from synth.generators.quantities import quantities
from synth.messages import Json

QUESTION_SCHEMA: Json = {
    "type": "object",
    "properties": {"question": {"type": "string", "maxLength": 1200}},
    "required": ["question"],
    "additionalProperties": False,
}
HARDER_SCHEMA: Json = {
    "type": "object",
    "properties": {"added": {"type": "string", "maxLength": 300}, **QUESTION_SCHEMA["properties"]},
    "required": ["added", "question"],
    "additionalProperties": False,
}
"""What is added comes first: a small model that has not said it tells the problem as it was."""
_TRIES = 3
_SHORTEST = 20
"""Characters of a problem. Not in the schema, which has to let through what stands for an answer in `synth plan`."""
_MOST_OVERLAP = 0.6
_SAME = "it was nearly the same as the problem given"

Check = Callable[[str], str | None]
"""What is wrong with a question, in words, or None."""


async def write_question(
    writer: Agent, context: UnitContext, visible: Mapping[str, Any], check: Check, *, field: str = "question"
) -> str:
    """The first of three tries that passes ``check``; ``field`` is what the writer's schema calls it. Raises
    ``Rejected`` (gate ``form``) when none does."""
    for sample in range(_TRIES):
        reply = await writer.ask(context, visible, sample=sample)
        written = str(reply.value[field]).strip()
        problem = check(written)
        if problem is None:
            return written
    raise Rejected("form", str(problem), text=written)


def is_new_problem(seed: str, *shown: str) -> Check:
    """A well-formed question with at least two numbers that is neither the seed nor one of those ``shown`` with a word
    changed, or with other words around all its numbers."""
    known = (seed, *shown)

    def check(question: str) -> str | None:
        if problem := _malformed(question, seed):
            return problem
        if any(overlap(one, question) > _MOST_OVERLAP for one in known):
            return _SAME
        if any(quantities(one) == quantities(question) for one in known):
            return "it had the numbers of the problem given, all of them and no other"
        if len(re.findall(r"\d+", question)) < 2:
            return "it had fewer than two numbers"
        return None

    return check


def is_harder(seed: str) -> Check:
    """A well-formed question that says more than the seed, in other numbers or more of them."""

    def check(question: str) -> str | None:
        if problem := _malformed(question, seed):
            return problem
        before, after = quantities(seed), quantities(question)
        if sum(after.values()) <= sum(before.values()):
            return "it had no number more than the problem given, so no step more"
        return None

    return check


def keeps_numbers(seed: str) -> Check:
    """A well-formed question with the same numbers, not the seed with a word changed."""

    def check(question: str) -> str | None:
        if problem := _malformed(question, seed):
            return problem
        before, after = quantities(seed), quantities(question)
        if lost := before.keys() - after.keys():
            return f"it left out {', '.join(map(str, sorted(lost)))}"
        if added := (after - before).keys():
            return f"it added {', '.join(map(str, sorted(added)))}"
        if overlap(seed, question) > _MOST_OVERLAP:
            return _SAME
        return None

    return check


def claims(asked: str, answer: str) -> Check:
    """A statement with the numbers of the question that it answers, and the answer."""

    def check(claim: str) -> str | None:
        if "?" in claim or not claim.endswith("."):
            return "it was not one statement that ends in a full stop"
        wanted, stated = quantities(f"{asked} {answer}").keys(), quantities(claim).keys()
        if lost := wanted - stated:
            return f"it left out {', '.join(map(str, sorted(lost)))}"
        if added := stated - wanted:
            return f"it added {', '.join(map(str, sorted(added)))}"
        return None

    return check


def _malformed(question: str, seed: str) -> str | None:
    """What is wrong with the form of a question; one made from a seed that is a task ("Find how many …") may be one."""
    if len(question) < _SHORTEST:
        return "it was no whole problem"
    if seed.rstrip().endswith("?") and not question.endswith("?"):
        return "it did not end in a question mark"
    if question.count("?") > 1:
        return "it asked more than one question"
    if re.search(r"\b(answer|solution)\s*(is|:)", question, re.IGNORECASE):
        return "it gave the answer away"
    return None
