"""The best rows of many, by a score that stands in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nlargest

from synth.errors import UsageError
from synth.messages import Json


@dataclass(frozen=True, slots=True)
class Ranked:
    """``best`` rows in the order in which they came. ``cut`` is the lowest score among them; ``mean`` is of them, and
    ``mean_before`` of all rows with a score; ``without`` counts the others."""

    best: Sequence[Json]
    cut: float
    mean: float
    mean_before: float
    without: int


def best_rows(rows: Iterable[Json], count: int, by: str) -> Ranked:
    """The ``count`` rows with the highest ``scores[by]``; of equal ones the first. One row after the other is read, and
    only the best are kept in memory.

    Raises ``UsageError`` where no row has that score, with those that there are.
    """
    known: Counter[str] = Counter()
    total, scored, without = 0.0, 0, 0

    def ranked() -> Iterable[tuple[float, int, Json]]:
        nonlocal total, scored, without
        for place, row in enumerate(rows):
            scores = row.get("scores")
            scores = scores if isinstance(scores, dict) else {}
            known.update(scores.keys())
            score = scores.get(by)
            if isinstance(score, bool) or not isinstance(score, int | float):
                without += 1
                continue
            total += score
            scored += 1
            yield float(score), -place, row

    # Places differ, so rows themselves are never compared.
    best = nlargest(count, ranked())
    if not best:
        hint = f"the scores are {', '.join(sorted(known))}" if known else "a gate such as judge gives rows a score"
        raise UsageError(f"no row has the score {by!r}", hint=hint)
    inside = sorted(best, key=lambda one: -one[1])
    mean = sum(score for score, _, _ in best) / len(best)
    return Ranked([row for _, _, row in inside], best[-1][0], mean, total / scored, without)
