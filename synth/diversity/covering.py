"""Covering arrays: rows that have every combination of ``strength`` values at least once, in as few rows as it takes.

Where no constraint ties the factors and the numbers allow it, the rows are an orthogonal array of Bush's construction
(1952: polynomials over a prime field), which is the smallest there can be. Everywhere else, and for what is missing
later, each next row is built greedily (AETG, Cohen et al. 1997) and respects the constraints.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, product

from synth.recipe.space import Partial, Space

Combination = tuple[tuple[int, int], ...]
"""Some factors' values: (factor, value) by factor."""

MOST_COMBINATIONS = 200_000
"""More are neither planned for nor counted one by one."""
_CANDIDATES = 24
_WORK = 6_000
"""Values looked at for one row: spaces with many values try fewer candidates."""
_MOST_AIMS = 3
"""Rows aimed at a combination that keeps being rejected, before it counts as out of reach."""
_WASTE = 1.2
"""An orthogonal array may have so many times the rows that a lower bound says."""


def count_combinations(space: Space, strength: int) -> int:
    """How many there are, constraints aside."""
    sizes = [len(factor.values) for factor in space.factors]
    return sum(math.prod(chosen) for chosen in combinations(sizes, strength))


def possible(space: Space, strength: int) -> Iterator[Combination]:
    """All combinations of ``strength`` values that some allowed row has."""
    for chosen in combinations(range(len(space.factors)), strength):
        for values in product(*(range(len(space.factors[f].values)) for f in chosen)):
            combination = tuple(zip(chosen, values, strict=True))
            if space.feasible(dict(combination)):
                yield combination


class Cover:
    """Which combinations the live rows have, and which they lack."""

    def __init__(self, space: Space, strength: int) -> None:
        self._space = space
        strength = min(strength, len(space.factors))
        while strength > 1 and count_combinations(space, strength) > MOST_COMBINATIONS:
            strength -= 1
        self.strength = strength
        self._missing: dict[Combination, None] = dict.fromkeys(possible(space, strength)) if strength else {}
        self._per_value = Counter(pair for combination in self._missing for pair in combination)
        self._rows: Counter[Combination] = Counter()
        self._aims: Counter[Combination] = Counter()

    @property
    def complete(self) -> bool:
        return not self._missing

    def add(self, row: Sequence[int]) -> None:
        for combination in self._of(row):
            self._rows[combination] += 1
            if combination in self._missing:
                del self._missing[combination]
                self._per_value.subtract(combination)

    def remove(self, row: Sequence[int]) -> None:
        """Take a row back: what only it had is missing again, unless it has been aimed at often enough."""
        for combination in self._of(row):
            self._rows[combination] -= 1
            if not self._rows[combination]:
                del self._rows[combination]
                if self._aims[combination] < _MOST_AIMS:
                    self._aims[combination] += 1
                    self._missing[combination] = None
                    self._per_value.update(combination)

    def _of(self, row: Sequence[int]) -> Iterator[Combination]:
        return combinations(enumerate(row), self.strength)

    def propose(self, rng: random.Random) -> dict[int, int]:
        """Values that together have many missing combinations, at least one; factors that add none may be left open."""
        sizes = sum(len(factor.values) for factor in self._space.factors)
        tries = max(1, min(_CANDIDATES, _WORK // sizes))
        wanted = max(self._per_value.values())
        top = [pair for pair, count in self._per_value.items() if count == wanted]
        row, gain = self._grow(dict(next(iter(self._missing))), 1, rng)
        for _ in range(tries):
            other, more = self._grow(dict([rng.choice(top)]), int(self.strength == 1), rng)
            if more > gain:
                row, gain = other, more
        return row

    def _grow(self, row: dict[int, int], gain: int, rng: random.Random) -> tuple[dict[int, int], int]:
        others = [f for f in range(len(self._space.factors)) if f not in row]
        rng.shuffle(others)
        for f in others:
            value, added = self._best_value(row, f, rng)
            if value is not None:
                row[f] = value
                gain += added
        return row, gain

    def _best_value(self, row: dict[int, int], f: int, rng: random.Random) -> tuple[int | None, int]:
        known = sorted(row)
        most = -1
        best: list[int] = []
        for value in range(len(self._space.factors[f].values)):
            added = self._gain(row, known, f, value)
            if added >= most and self._space.feasible({**row, f: value}):
                if added > most:
                    most, best = added, []
                best.append(value)
        if most <= 0 and best:  # nothing to gain yet: what is wanted most later on
            best.sort(key=lambda value: -self._per_value[f, value])
            return (best[0], 0) if self._per_value[f, best[0]] > 0 else (None, 0)
        return (rng.choice(best), most) if best else (None, 0)

    def _gain(self, row: Partial, known: Sequence[int], f: int, value: int) -> int:
        total = 0
        for others in combinations(known, self.strength - 1):
            combination = tuple(sorted([(f, value), *((g, row[g]) for g in others)]))
            total += combination in self._missing
        return total


def orthogonal_rows(space: Space, strength: int) -> list[tuple[int | None, ...]] | None:
    """The rows of an orthogonal array with every combination exactly once; None where none fits well.

    None in a row stands for "any value". With q levels, at most q + 1 factors fit.
    """
    sizes = [len(factor.values) for factor in space.factors]
    if space.tied or len(sizes) < strength or strength < 2:
        return None
    q = _next_prime(max(*sizes, len(sizes) - 1))
    if q**strength > _WASTE * math.prod(sorted(sizes)[-strength:]) or q**strength > MOST_COMBINATIONS:
        return None
    rows: list[tuple[int | None, ...]] = []
    for polynomial in product(range(q), repeat=strength):
        points = [sum(c * x**power for power, c in enumerate(polynomial)) % q for x in range(q)]
        points.append(polynomial[-1])  # the point at infinity
        row = tuple(point if point < size else None for point, size in zip(points, sizes, strict=False))
        rows.append(row)
    return rows


def _next_prime(at_least: int) -> int:
    number = max(2, at_least)
    while any(number % divisor == 0 for divisor in range(2, math.isqrt(number) + 1)):
        number += 1
    return number
