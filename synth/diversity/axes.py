"""Which combination of attributes stands at which place of a plan: the covering array, then sampling by weight.

Sampling goes by what is owed: a value's chance is how far it lies behind its weight in all rows before, so shares come
out right in small datasets too, the rows of the covering array included. A refill (see :class:`AxisPlan`) goes where
combinations are missing.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from synth.diversity.covering import Cover, orthogonal_rows
from synth.fingerprint import derive_rng, derive_seed
from synth.recipe.space import Bin, Partial, Space

_REFILL_SLACK = 8
"""Rows that a refill's values may run ahead of their share: so it does not insist on what was just rejected."""

_PLACES = 6
"""Of a number drawn from a bin; as many significant ones where the bin is narrower than 1."""


class AxisPlan:
    """The combinations of one generator, place by place.

    The places of the first pass depend on the recipe alone. After it, :meth:`refill` takes back a place that was
    rejected and fills the next one: with what is missing now, else with what is owed now.
    """

    def __init__(self, space: Space, strength: int, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._cover = Cover(space, strength)
        self._columns = [array("I") for _ in space.factors]
        self._owed = [[[0] * len(factor.values) for _ in factor.weights] for factor in space.factors]
        self._array = self._ordered_array()

    def attributes(self, place: int) -> dict[str, Any]:
        """The attributes at ``place``; a number is drawn from its bin."""
        while self._length <= place:
            self._append()
        row = self._row(place)
        return {
            factor.name: self._value(factor.values[row[f]], factor.name, place)
            for f, factor in enumerate(self._space.factors)
        }

    def refill(self, rejected: int) -> None:
        """Take back the row at ``rejected`` and fill the next place."""
        if not self._columns:
            return
        row = self._row(rejected)
        self._cover.remove(row)
        self._count(row, -1)
        self._append(_REFILL_SLACK)

    @property
    def _length(self) -> int:
        return len(self._columns[0]) if self._columns else 1 << 62

    def _row(self, place: int) -> tuple[int, ...]:
        return tuple(column[place] for column in self._columns)

    def _append(self, slack: int = 1) -> None:
        rng = derive_rng(self._seed, "row", self._length)
        wanted = next(self._array, None)
        if wanted is None:
            wanted = {} if self._cover.complete else self._cover.propose(rng)
        row = self._complete(wanted, rng, slack)
        self._cover.add(row)
        self._count(row, 1)
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def _count(self, row: Sequence[int], by: int) -> None:
        for f, factor in enumerate(self._space.factors):
            given = 0 if factor.parent is None else row[factor.parent]
            self._owed[f][given][row[f]] += by

    def _ordered_array(self) -> Iterator[dict[int, int]]:
        """The orthogonal array, where there is one, with its values and rows shuffled."""
        rows = orthogonal_rows(self._space, self._cover.strength) or []
        rng = derive_rng(self._seed, "array")
        names = [rng.sample(range(len(factor.values)), len(factor.values)) for factor in self._space.factors]
        rng.shuffle(rows)
        for row in rows:
            yield {f: names[f][value] for f, value in enumerate(row) if value is not None}

    def _complete(self, wanted: Partial, rng: random.Random, slack: int) -> tuple[int, ...]:
        row = dict(wanted)
        for f, factor in enumerate(self._space.factors):
            if f not in row:
                parent = factor.parent
                if parent is not None and parent not in row:  # only where a proposal named the child alone
                    row[parent] = self._draw(parent, row, rng, slack)
                row[f] = self._draw(f, row, rng, slack)
        return tuple(row[f] for f in range(len(self._space.factors)))

    def _draw(self, f: int, row: Partial, rng: random.Random, slack: int) -> int:
        factor = self._space.factors[f]
        weights = factor.weights_given(row)
        used = self._owed[f][0 if factor.parent is None else row[factor.parent]]
        total = sum(used) + slack
        chances = [max(0.0, weight * total - count) for weight, count in zip(weights, used, strict=True)]
        for pool in (chances, list(weights)):
            while any(pool):
                value = rng.choices(range(len(pool)), pool)[0]
                if f not in self._space.tied or self._space.feasible({**row, f: value}):
                    return value
                pool[value] = 0.0
        raise AssertionError("a feasible row can always be completed")

    def _value(self, value: Any, name: str, place: int) -> Any:
        if not isinstance(value, Bin):
            return value
        rng = random.Random(derive_seed(self._seed, name, place))
        if value.whole:
            return rng.randint(int(value.low), int(value.high))
        width = value.high - value.low
        places = _PLACES - math.floor(math.log10(width)) if 0 < width < 1 else _PLACES
        return min(max(round(rng.uniform(value.low, value.high), places), value.low), value.high)
