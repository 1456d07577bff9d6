"""``summary.json``: what a run asked for, got and cost, as the contract names it."""

from __future__ import annotations

from collections import Counter

import orjson

from synth.messages import Json, Usage
from synth.recipe.schema import Recipe
from synth.runner import Ending
from synth.store import Store


def summarize(recipe: Recipe, store: Store, ending: Ending, *, calls: Json, seconds: float) -> Json:
    """The summary of a run so far, over all its invocations. ``calls`` are the counts of the contract's ``calls``."""
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
        "estimate": orjson.loads(store.meta().get("estimate", "null")),
    } | ({"message": ending.message, "hint": ending.hint} if ending.message else {})
