"""Combinatorial coverage (NIST): how many of all possible combinations of t attribute values a dataset has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from synth.diversity.covering import MOST_COMBINATIONS, Combination, count_combinations, possible
from synth.messages import Json
from synth.recipe.space import Bin, Space

MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Coverage:
    """For one t: CC_t is ``covered / possible``.

    Combinations that constraints rule out are not possible. Where there are too many to look at each (more than
    ``MOST_COMBINATIONS``), ``possible`` counts them too and ``missing`` is empty. ``missing`` lists the first few.
    """

    covered: int
    possible: int
    missing: tuple[dict[str, Any], ...]

    def to_dict(self) -> Json:
        share = round(self.covered / self.possible, 4) if self.possible else 1.0
        return {
            "covered": self.covered,
            "possible": self.possible,
            "share": share,
            "missing": [dict(one) for one in self.missing],
        }


def measure_coverage(space: Space, rows: Iterable[Mapping[str, Any]], most: int = 3) -> dict[int, Coverage]:
    """The coverage at t = 1 to ``most`` of ``rows`` of attributes; attributes that are no axis are passed over."""
    strengths = range(1, min(most, len(space.factors)) + 1)
    seen: dict[int, set[Combination]] = {t: set() for t in strengths}
    known: dict[tuple[int, Any], int | None] = {}
    for row in rows:
        values = []
        for f, factor in enumerate(space.factors):
            value = row.get(factor.name)
            key = (f, (type(value), value))
            if key not in known:
                known[key] = space.find(f, value)
            if (number := known[key]) is not None:
                values.append((f, number))
        for t in strengths:
            seen[t].update(combinations(values, t))
    return {t: _compare(space, t, seen[t]) for t in strengths}


def coverage_of(space: Space, rows: Iterable[Mapping[str, Any]]) -> Json:
    """Coverage at t = 1, 2, 3 as JSON, by t."""
    return {str(t): coverage.to_dict() for t, coverage in measure_coverage(space, rows).items()}


def _compare(space: Space, t: int, seen: set[Combination]) -> Coverage:
    total = count_combinations(space, t)
    if total > MOST_COMBINATIONS:
        return Coverage(len(seen), total, ())
    wanted = list(possible(space, t))
    missing = [one for one in wanted if one not in seen]
    listed = tuple(
        {space.factors[f].name: _shown(space.factors[f].values[value]) for f, value in one}
        for one in missing[:MOST_LISTED]
    )
    return Coverage(len(wanted) - len(missing), len(wanted), listed)


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, Bin) else value
