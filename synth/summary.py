"""``summary.json``: what a run asked for, got and cost, as the contract names it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

import orjson

from synth.diversity.coverage import coverage_of
from synth.diversity.embedding import Embeddings
from synth.diversity.measures import measure_words
from synth.judging.report import report_judges
from synth.messages import Json, Usage
from synth.recipe.gates import JudgeSpec
from synth.recipe.schema import Recipe
from synth.recipe.space import build_space
from synth.rows import text_of
from synth.runner import Ending
from synth.store import Store

_MOST_MEASURED = 500
"""Texts: enough to see how varied they are, and no run waits for it."""


def summarize(
    recipe: Recipe,
    store: Store,
    ending: Ending,
    *,
    calls: Json,
    seconds: float,
    embeddings: Embeddings | None = None,
) -> Json:
    """The summary of a run so far, over all its invocations. ``calls`` are the counts of the contract's ``calls``.

    ``embeddings`` measure meanings too, by the vectors that are in the store.
    """
    rejections, spent = store.rejections(), store.spent_by_generator()
    generators: dict[str, Json] = {}
    for spec in recipe.generate:
        attempts, accepted = store.tally(spec.id)
        usage, cost = spent.get(spec.id, (Usage(), 0.0))
        generators[spec.id] = {
            "requested": spec.count,
            "accepted": accepted,
            "attempts": attempts,
            "rejected": rejections.get(spec.id, {}),
            "tokens": {"input": usage.input, "output": usage.output},
            "cost_usd": round(cost, 6),
        }
    usage, cost = store.spent()
    rejected: Counter[str] = Counter()
    for by_gate in rejections.values():
        rejected.update(by_gate)
    return {
        "status": ending.status,
        "requested": sum(spec.count for spec in recipe.generate),
        "accepted": sum(entry["accepted"] for entry in generators.values()),
        "rejected": dict(rejected.most_common()),
        "calls": calls,
        "tokens": {"input": usage.input, "output": usage.output},
        "cost_usd": round(cost, 6),
        "seconds": round(seconds, 3),
        "generators": generators,
        "diversity": {spec.id: _diversity(recipe, store, spec.id, embeddings) for spec in recipe.generate},
        "estimate": orjson.loads(store.meta().get("estimate", "null")),
        **({"judges": judges} if (judges := _judges(recipe, store)) else {}),
    } | ({"message": ending.message, "hint": ending.hint} if ending.message else {})


def _judges(recipe: Recipe, store: Store) -> Json:
    """By judge gate, what its judges' verdicts on accepted and rejected examples come to."""
    reports: Json = {}
    for gate in recipe.gates:
        if isinstance(gate, JudgeSpec):
            report = report_judges(_judgements(recipe, store, gate.id))
            reports |= {gate.id: report} if report["judged"] else {}
    return reports


def _judgements(recipe: Recipe, store: Store, gate: str) -> Iterator[Json]:
    for spec in recipe.generate:
        for row in chain(store.accepted_rows(spec.id), store.rejected_rows(spec.id)):
            judgement = orjson.loads(row).get("judgements", {}).get(gate)
            if judgement is not None:
                yield judgement


def _diversity(recipe: Recipe, store: Store, generator: str, embeddings: Embeddings | None) -> Json:
    """Measures of the first few hundred accepted texts, and the coverage of the axes by all rows."""
    texts = [text for _, text in islice(store.accepted_texts(generator), _MOST_MEASURED)]
    if not texts:
        texts = [text_of(orjson.loads(row)) for row in islice(store.accepted_rows(generator), _MOST_MEASURED)]
    measures = measure_words(texts)
    vectors = [vector for text in texts if embeddings is not None and (vector := embeddings.known(text)) is not None]
    if vectors:
        import numpy as np

        from synth.diversity.spread import measure_meanings

        measures |= measure_meanings(np.stack(vectors))
    if recipe.axes:
        rows = (orjson.loads(row)["attributes"] for row in store.accepted_rows(generator))
        measures["coverage"] = coverage_of(build_space(recipe.axes, recipe.exclude), rows)
    return measures
