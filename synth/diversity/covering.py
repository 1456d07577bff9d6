"""Covering arrays: rows that have every combination of ``strength`` values at least once, in as few rows as it takes.

Where no constraint ties the factors and the numbers allow it, the rows are an orthogonal array of Bush's construction
(1952: polynomials over a prime field), which is the smallest there can be. Everywhere else, and for what is missing
later, each next row is built greedily (AETG, Cohen et al. 1997) and respects the constraints.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, combinations, product

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
    """Which combinations the live rows have, and which they lack.

    Every value of every factor is a digit, those of a factor in a row; a combination is the number that its digits
    make, in the order of their factors. So a factor's values beside the same others are numbers at equal distances.
    """

    def __init__(self, space: Space, strength: int) -> None:
        self._space = space
        strength = min(strength, len(space.factors))
        while strength > 1 and count_combinations(space, strength) > MOST_COMBINATIONS:
            strength -= 1
        self.strength = strength
        self._pairs = [(f, value) for f, factor in enumerate(space.factors) for value in range(len(factor.values))]
        self._starts = [0, *accumulate(len(factor.values) for factor in space.factors)]
        self._missing: dict[int, tuple[int, ...]] = {}
        for combination in possible(space, strength) if strength else ():
            digits = tuple(self._starts[f] + value for f, value in combination)
            self._missing[self._number(digits)] = digits
        self._per_value = Counter(digit for digits in self._missing.values() for digit in digits)
        self._rows: Counter[int] = Counter()
        self._aims: Counter[int] = Counter()

    @property
    def complete(self) -> bool:
        return not self._missing

    def add(self, row: Sequence[int]) -> None:
        for digits in self._of(row):
            number = self._number(digits)
            self._rows[number] += 1
            if number in self._missing:
                del self._missing[number]
                self._per_value.subtract(digits)

    def remove(self, row: Sequence[int]) -> None:
        """Take a row back: what only it had is missing again, unless it has been aimed at often enough."""
        for digits in self._of(row):
            number = self._number(digits)
            self._rows[number] -= 1
            if not self._rows[number]:
                del self._rows[number]
                if self._aims[number] < _MOST_AIMS:
                    self._aims[number] += 1
                    self._missing[number] = digits
                    self._per_value.update(digits)

    def _of(self, row: Sequence[int]) -> Iterator[tuple[int, ...]]:
        return combinations([self._starts[f] + value for f, value in enumerate(row)], self.strength)

    def _number(self, digits: Iterable[int]) -> int:
        number = 0
        for digit in digits:
            number = number * len(self._pairs) + digit
        return number

    def propose(self, rng: random.Random) -> dict[int, int]:
        """Values that together have many missing combinations, at least one; factors that add none may be left open."""
        tries = max(1, min(_CANDIDATES, _WORK // len(self._pairs)))
        wanted = max(self._per_value.values())
        top = [digit for digit, count in self._per_value.items() if count == wanted]
        first = next(iter(self._missing.values()))
        row, gain = self._grow(dict(self._pairs[digit] for digit in first), 1, rng)
        for _ in range(tries):
            other, more = self._grow(dict([self._pairs[rng.choice(top)]]), int(self.strength == 1), rng)
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
        tied = f in self._space.tied
        most = -1
        best: list[int] = []
        for value, added in enumerate(self._gains(row, f)):
            if added >= most and (not tied or self._space.feasible({**row, f: value})):
                if added > most:
                    most, best = added, []
                best.append(value)
        if most <= 0 and best:  # nothing to gain yet: what is wanted most later on
            start = self._starts[f]
            best.sort(key=lambda value: -self._per_value[start + value])
            return (best[0], 0) if self._per_value[start + best[0]] > 0 else (None, 0)
        return (rng.choice(best), most) if best else (None, 0)

    def _gains(self, row: Partial, f: int) -> Sequence[int]:
        """For each value of factor ``f``, how many missing combinations it has with the values in ``row``."""
        digits = [self._starts[g] + row[g] for g in sorted(row)]
        start, end = self._starts[f], self._starts[f + 1]
        before, after = [one for one in digits if one < start], [one for one in digits if one >= end]
        found: list[Iterable[bool]] = []
        for more in range(self.strength):
            step = len(self._pairs) ** more
            for left, right in product(combinations(before, self.strength - 1 - more), combinations(after, more)):
                base = self._number((*left, 0, *right))
                numbers = range(base + start * step, base + end * step, step)
                found.append(map(self._missing.__contains__, numbers))
        return [sum(one) for one in zip(*found, strict=True)] or [0] * (end - start)


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
