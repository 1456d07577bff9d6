"""What a run's pictures show, read once from its folder: exact counts, and a sample of attempts where looks suffice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from synth.diversity.embedding import embedder_identity, vector_key
from synth.example import Seed, generator_of
from synth.messages import Json
from synth.reader import Pace, PlacedAttempt, RunReader
from synth.recipe.axes import Axis, Exclusion
from synth.recipe.diversity import DiversitySpec
from synth.recipe.space import Space, build_space
from synth.rows import text_of

if TYPE_CHECKING:
    from synth.diversity.vectors import Vectors

MOST_SAMPLED = 2000
"""Attempts that are looked into, over all generators."""
_MOST_SEEDS = 300

_AXES: TypeAdapter[dict[str, Axis]] = TypeAdapter(dict[str, Axis])
_EXCLUDE: TypeAdapter[list[Exclusion]] = TypeAdapter(list[Exclusion])


@dataclass(frozen=True, slots=True)
class Sampled:
    """One attempt that was looked into. ``text`` is what makes it different from others, ``length`` its characters."""

    unit: str
    generator: str
    gate: str | None
    text: str
    length: int
    attributes: Json
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Spent:
    """What the calls of one role of one generator took."""

    generator: str
    role: str
    calls: int
    tokens: int
    cost_usd: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Facts:
    """``tally`` is as ``RunReader.tally`` gives it; ``combinations`` counts accepted rows by their axes' values."""

    name: str
    tally: dict[str, Json]
    spent: list[Spent]
    pace: list[Pace]
    sample: list[Sampled]
    seeds: list[Seed]
    space: Space | None
    combinations: Counter[tuple[Any, ...]]
    diversity: DiversitySpec | None
    marks: dict[str, str] = field(default_factory=dict)
    vectors: dict[str, bytes] = field(default_factory=dict)
    """Embeddings by text, of the sample and the seeds, where the run has compared meanings."""


def collect(reader: RunReader, marks: dict[str, str] | None = None, most: int = MOST_SAMPLED) -> Facts:
    """Look through a run; ``marks`` are what reviewers think of examples."""
    recipe = reader.lock.recipe
    tally = reader.tally()
    sample = [
        sampled
        for attempt in reader.sample(most, also=[unit for unit, mark in (marks or {}).items() if mark != "unsure"])
        if (sampled := _sampled(attempt)) is not None
    ]
    seeds = reader.seeds()
    step = -(-len(seeds) // _MOST_SEEDS) or 1
    seeds = seeds[::step]
    spec = recipe.get("diversity")
    diversity = DiversitySpec(**spec) if isinstance(spec, dict) else None
    space = None
    if recipe.get("axes"):
        space = build_space(
            _AXES.validate_python(recipe["axes"]), _EXCLUDE.validate_python(recipe.get("exclude") or [])
        )
    vectors: dict[str, bytes] = {}
    if diversity is not None and diversity.embedder != "off" and reader.has_vectors:
        identity = embedder_identity(diversity.embedder)
        for text in {one.text for one in sample} | {text for seed in seeds for text in seed_texts(seed)}:
            found = reader.find_vector(vector_key(identity, text))
            if found is not None:
                vectors[text] = found
    return Facts(
        name=recipe["name"],
        tally=tally,
        spent=_spent(reader),
        pace=reader.pace(),
        sample=sample,
        seeds=seeds,
        space=space,
        combinations=_combinations(space, reader.attributes()) if space is not None else Counter(),
        diversity=diversity,
        marks=marks or {},
        vectors=vectors,
    )


def seed_texts(seed: Seed) -> list[str]:
    """What a seed says, field by field."""
    return [value for name, value in seed.fields.items() if isinstance(value, str) and name != "id"]


def stack(vectors: Sequence[bytes]) -> Vectors:
    """Stored embeddings as one matrix, shape (n, d)."""
    import numpy as np

    return np.stack([np.frombuffer(vector, dtype=np.float32) for vector in vectors])


def _sampled(attempt: PlacedAttempt) -> Sampled | None:
    row = attempt.row
    text = attempt.text or text_of(row)
    if not text:
        return None
    said = [m["content"] for m in row.get("messages") or () if isinstance(m.get("content"), str)]
    scores = {
        name: float(value)
        for name, value in (row.get("scores") or {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return Sampled(
        attempt.unit,
        generator_of(attempt.unit),
        attempt.gate,
        text,
        sum(map(len, said)) or len(text),
        row.get("attributes") or {},
        scores,
    )


def _spent(reader: RunReader) -> list[Spent]:
    found: dict[tuple[str, str], list[float]] = {}
    last = 0
    while calls := reader.call_costs(last):
        last = calls[-1].rowid
        for call in calls:
            if call.source == "sent":
                unit, _, key = call.id.partition("/")
                sums = found.setdefault((generator_of(unit), key.partition(".")[0]), [0, 0, 0.0, 0.0])
                sums[0] += 1
                sums[1] += call.input + call.output
                sums[2] += call.cost_usd or 0.0
                sums[3] += call.seconds
    return [
        Spent(generator, role, int(calls), int(tokens), cost, seconds)
        for (generator, role), (calls, tokens, cost, seconds) in found.items()
    ]


def _combinations(space: Space, rows: Iterable[Json]) -> Counter[tuple[Any, ...]]:
    """Accepted rows by the number of each axis's value (None where a row has none that is known)."""
    return Counter(tuple(space.find(f, row.get(factor.name)) for f, factor in enumerate(space.factors)) for row in rows)
