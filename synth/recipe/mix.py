"""``mix``: a total of examples, divided among generators by what a seed can bear.

With few teacher calls a seed new answers to its question pay most, with many new questions do, and new wordings lie
between and hold up under weak teachers (arXiv 2409.19759). The paper gives the finding and no formula; this one is
reconstructed: with r the calls per seed and R the calls at which answers and questions weigh the same, the weights of
answers, wordings and questions are R, sqrt(R·r) and r.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Tag
from pydantic_core import PydanticCustomError

from synth.messages import Json
from synth.recipe.base import Name, Number, Spec, Whole, text_or_mapping
from synth.recipe.plain import mapping

MOST_IN_ALL = 100_000_000
EVEN_CALLS = 30.0
"""R: calls per seed at which answers and questions get the same. About ten examples a seed, at three calls each."""

_ANSWERS, _WORDINGS, _QUESTIONS = "answers", "wordings", "questions"
SORTS: dict[str, str] = {
    "answer": _ANSWERS,
    "cot": _ANSWERS,
    "rephrase": _WORDINGS,
    "persona": _WORDINGS,
    "backward": _WORDINGS,
    "question": _QUESTIONS,
    "evolve": _QUESTIONS,
}
"""Kinds that multiply seeds, by what of a seed they renew."""


def _need_mapping(value: Any) -> Any:
    if not isinstance(value, dict):
        raise PydanticCustomError(
            "mix", "says how many examples in all: {total: 300}, with 'shares: auto' unless given"
        )
    return value


class MixSpec(Spec):
    """How many examples in all, and how they are divided among the generators that give no `count`."""

    total: Whole = Field(ge=1, le=MOST_IN_ALL)
    """Examples in all, for the generators without a `count`."""
    shares: Annotated[
        Annotated[Literal["auto"], Tag("<text>")]
        | Annotated[dict[Name, Annotated[Number, Field(gt=0)]], Tag("<mapping>")],
        text_or_mapping("must be 'auto', or a mapping of generators to shares such as {answer: 2, question: 1}"),
    ] = "auto"
    """`auto`: by teacher calls per seed; few favour new answers, many new questions. Or a weight for each generator, by
    its id."""


Mix = Annotated[MixSpec, BeforeValidator(_need_mapping)]


def auto_weights(generators: Sequence[Json], total: int, seeds: int) -> list[float]:
    """A weight for each of ``generators`` (entries of a recipe, of kinds in :data:`SORTS`)."""
    calls = [calls_of(generator) for generator in generators]
    per_seed = total * sum(calls) / len(calls) / max(seeds, 1)
    weights = {_ANSWERS: EVEN_CALLS, _WORDINGS: math.sqrt(EVEN_CALLS * per_seed), _QUESTIONS: per_seed}
    sorts = [SORTS[generator["kind"]] for generator in generators]
    return [weights[sort] / sorts.count(sort) for sort in sorts]


def calls_of(generator: Json) -> float:
    """Calls for one example where all goes well: chains, programs where nobody knows the answer, and the writer."""
    ensemble = mapping(generator.get("ensemble"))
    samples, programs = _number(ensemble, "samples", 3), _number(ensemble, "programs", 2)
    match SORTS[generator["kind"]], generator["kind"]:
        case ("questions", _):
            return 1 + samples + programs
        case (_, "rephrase" | "persona"):
            return 1 + samples
    return samples


def divide(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers that are ``total`` in all, at least 1 each, by largest remainder; ``total`` is at least their
    number."""
    largest = max(weights)  # their sum could be infinite
    whole = sum(weight / largest for weight in weights)
    exact = [total * (weight / largest) / whole for weight in weights]
    counts = [int(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda place: (counts[place] - exact[place], place))
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    for place, count in enumerate(counts):
        if count == 0:
            counts[counts.index(max(counts))] -= 1
            counts[place] = 1
    return counts


def _number(ensemble: Mapping[str, Any], name: str, default: int) -> float:
    value = ensemble.get(name, default)
    return float(value) if isinstance(value, int) else float(default)
