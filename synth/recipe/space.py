"""The combinations that a recipe's axes allow, as numbers: factor ``f`` of a row has the value number ``row[f]``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from synth.recipe.axes import AxisSpec
from synth.recipe.yaml import KeyPath

_MOST_STEPS = 200_000
"""Of the search for a completion: beyond, the constraints count as contradictory."""

Partial = Mapping[int, int]
"""Some factors' values: factor number to value number."""


class AxisError(Exception):
    """What is wrong with the axes, and where in the recipe."""

    def __init__(self, path: KeyPath, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Bin:
    """A part of a numeric range, its ends included where ``whole``."""

    low: float
    high: float
    whole: bool

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"


@dataclass(frozen=True, slots=True)
class Factor:
    """An axis: its values (``Bin`` for numbers) and their weights, by the parent's value where it has a ``parent``.

    ``weights[p][v]`` adds up to 1 over ``v``; without a parent there is one row, ``p = 0``. A weight of 0 means that
    the value does not occur there.
    """

    name: str
    values: tuple[Any, ...]
    weights: tuple[tuple[float, ...], ...]
    parent: int | None = None

    def weights_given(self, row: Partial) -> tuple[float, ...]:
        return self.weights[0 if self.parent is None else row[self.parent]]


class Space:
    """All factors, and which combinations of their values are allowed."""

    def __init__(self, factors: Sequence[Factor], exclusions: Sequence[Mapping[int, frozenset[int]]] = ()) -> None:
        self.factors = tuple(factors)
        self._exclusions = tuple(exclusions)
        tied = {f for exclusion in exclusions for f in exclusion}
        tied |= {f for f, factor in enumerate(factors) if factor.parent is not None}
        tied |= {factor.parent for factor in factors if factor.parent is not None}
        tied |= {f for f, factor in enumerate(factors) if factor.parent is None and not all(factor.weights[0])}
        self.tied = tuple(sorted(tied))
        self._by_factor = {f: [one for one in exclusions if f in one] for f in self.tied}
        self._known: dict[tuple[tuple[int, int], ...], bool] = {}

    def feasible(self, partial: Partial) -> bool:
        """Whether some allowed combination has these values."""
        key = tuple((f, partial[f]) for f in self.tied if f in partial)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._search(dict(key))
        return known

    def _search(self, partial: dict[int, int]) -> bool:
        if not all(self._fits(partial, f) for f in partial):
            return False
        steps = 0
        open_factors = [f for f in self.tied if f not in partial]

        def complete(place: int) -> bool:
            nonlocal steps
            if place == len(open_factors):
                return True
            f = open_factors[place]
            for value in range(len(self.factors[f].values)):
                steps += 1
                if steps > _MOST_STEPS:
                    return False
                partial[f] = value
                if self._fits(partial, f) and complete(place + 1):
                    return True
            del partial[f]
            return False

        return complete(0)

    def _fits(self, partial: Partial, f: int) -> bool:
        factor = self.factors[f]
        if factor.parent is None and not factor.weights[0][partial[f]]:
            return False
        if factor.parent in partial and not factor.weights_given(partial)[partial[f]]:
            return False
        for child in self.tied:
            if (
                self.factors[child].parent == f
                and child in partial
                and not self.factors[child].weights_given(partial)[partial[child]]
            ):
                return False
        return not any(
            all(g in partial and partial[g] in values for g, values in one.items()) for one in self._by_factor[f]
        )

    def find(self, f: int, value: Any) -> int | None:
        """The number of a value of factor ``f``, or of the bin that holds it; None where there is none."""
        for number, own in enumerate(self.factors[f].values):
            if isinstance(own, Bin):
                if isinstance(value, int | float) and own.low <= value <= own.high:
                    return number
            elif own == value and isinstance(own, bool) == isinstance(value, bool):
                return number
        return None


def build_space(axes: Mapping[str, list[Any] | AxisSpec], exclude: Sequence[Mapping[str, Any]]) -> Space:
    """Raises ``AxisError`` where axes name each other wrongly, or exclude everything."""
    factors: list[Factor] = []
    places = {name: place for place, name in enumerate(axes)}
    for name, axis in axes.items():
        factors.append(_factor(name, axis, factors, places))
    free = Space(factors)
    exclusions = [
        dict(_exclusion(free, places, one, ("exclude", number)) for one in excluded.items())
        for number, excluded in enumerate(exclude)
    ]
    space = Space(factors, exclusions)
    if factors and not space.feasible({}):
        raise AxisError(("exclude",) if exclusions else ("axes",), "these axes leave no combination at all")
    return space


def _factor(name: str, axis: list[Any] | AxisSpec, before: Sequence[Factor], places: Mapping[str, int]) -> Factor:
    if isinstance(axis, list):
        return Factor(name, tuple(axis), (_shares(axis),))
    if axis.range is not None:
        bins = tuple(_bins(axis.range[0], axis.range[1], axis.bins, axis.whole))
        if not bins:
            raise AxisError(("axes", name, "range"), "this range holds no whole number")
        return Factor(name, bins, (_shares(bins),))
    if axis.values is not None:
        return Factor(name, tuple(axis.values), (_shares(axis.values),))
    assert axis.by is not None
    return _dependent(name, axis.by, axis, before, places)


def _dependent(name: str, by: str, axis: AxisSpec, before: Sequence[Factor], places: Mapping[str, int]) -> Factor:
    parent = places.get(by, len(before))
    if parent >= len(before):
        known = ", ".join(factor.name for factor in before) or "none"
        raise AxisError(("axes", name, "by"), f"no axis {by!r} stands before {name!r}", f"axes before it: {known}")
    labels = [label(value) for value in before[parent].values]
    unknown = [value for value in axis.choices if value not in labels]
    lacking = [value for value in labels if value not in axis.choices]
    at: KeyPath = ("axes", name, "choices")
    if unknown:
        raise AxisError((*at, unknown[0]), f"{by!r} has no value {unknown[0]!r}", f"it has {', '.join(labels[:20])}")
    if lacking:
        raise AxisError(at, f"there are no choices for {by} = {lacking[0]}", "add it, with a list of values")
    values = tuple(dict.fromkeys(value for choice in axis.choices.values() for value in choice))
    weights = []
    for value in labels:
        choice = axis.choices[value]
        shares = dict(zip(choice, _shares(choice), strict=True))
        weights.append(tuple(shares.get(one, 0.0) for one in values))
    return Factor(name, values, tuple(weights), parent)


def label(value: Any) -> str:
    """A value as a key in YAML is read."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shares(choice: Sequence[Any] | Mapping[str, float]) -> tuple[float, ...]:
    weights = list(choice.values()) if isinstance(choice, Mapping) else [1.0] * len(choice)
    largest = max(weights)  # their sum could be infinite
    total = sum(weight / largest for weight in weights)
    return tuple(weight / largest / total for weight in weights)


def _bins(low: float, high: float, count: int, whole: bool) -> Iterator[Bin]:
    if not whole:
        edges = [low + (high - low) * i / count for i in range(count)] + [high]
        yield from (Bin(a, b, False) for a, b in pairwise(edges))
        return
    first, last = math.ceil(low), math.floor(high)
    numbers = last - first + 1
    count = min(count, numbers)
    for i in range(count):
        yield Bin(first + numbers * i // count, first + numbers * (i + 1) // count - 1, True)


def _exclusion(
    space: Space, places: Mapping[str, int], one: tuple[str, Any], at: KeyPath
) -> tuple[int, frozenset[int]]:
    name, excluded = one
    if name not in places:
        raise AxisError((*at, name), f"there is no axis {name!r}", f"axes: {', '.join(places) or 'none'}")
    f = places[name]
    labels = [label(own) for own in space.factors[f].values]
    numbers = set()
    for value in excluded if isinstance(excluded, list) else [excluded]:
        number = space.find(f, value)
        if number is None and label(value) in labels:  # a weighted value is a key, so text; a bin has no other name
            number = labels.index(label(value))
        if number is None:
            message = f"axis {name!r} has no value {label(value)!r}"
            raise AxisError((*at, name), message, f"it has {', '.join(labels[:20])}")
        numbers.add(number)
    return f, frozenset(numbers)
