"""Axes: attributes that every example gets a combination of, each value equally often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synth.fingerprint import derive_rng


class Axes:
    """Draws the attributes of each unit: along every axis, each block of as many units as it has values uses all."""

    def __init__(self, axes: Mapping[str, Sequence[Any]], seed: int) -> None:
        self._axes = axes
        self._seed = seed

    def attributes(self, index: int) -> dict[str, Any]:
        """The combination for the unit at ``index`` of a plan."""
        return {name: self._value(name, values, index) for name, values in self._axes.items()}

    def _value(self, name: str, values: Sequence[Any], index: int) -> Any:
        block, place = divmod(index, len(values))
        order = list(range(len(values)))
        derive_rng(self._seed, name, block).shuffle(order)
        return values[order[place]]
