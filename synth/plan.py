"""The plan: which unit stands at which place. It has no end, so that what is rejected can be made up for."""

from __future__ import annotations

from collections.abc import Sequence

from synth.diversity.axes import Axes
from synth.example import Seed, WorkUnit
from synth.fingerprint import derive_rng, derive_seed
from synth.recipe.schema import GeneratorSpec, Recipe


class Plan:
    """One generator's units. The unit at an index depends on the recipe and the seeds, never on how a run went.

    The seeds are gone through again and again, in a new order each time, so a small count is not all of the first few.
    """

    def __init__(self, recipe: Recipe, spec: GeneratorSpec, seeds: Sequence[Seed]) -> None:
        self._spec = spec
        self._seeds = seeds
        self._root = derive_seed(recipe.seed, spec.id)
        self._axes = Axes(recipe.axes, derive_seed(self._root, "axes"))
        self._orders: dict[int, list[int]] = {}

    def unit(self, index: int) -> WorkUnit:
        cycle, place = divmod(index, len(self._seeds)) if self._seeds else (index, 0)
        return WorkUnit(
            generator=self._spec.id,
            kind=self._spec.kind,
            index=index,
            cycle=cycle,
            seed=self._seeds[self._order(cycle)[place]] if self._seeds else None,
            attributes=self._axes.attributes(index),
            rng_seed=derive_seed(self._root, "unit", index),
        )

    def _order(self, cycle: int) -> list[int]:
        order = self._orders.get(cycle)
        if order is None:
            order = list(range(len(self._seeds)))
            derive_rng(self._root, "order", cycle).shuffle(order)
            self._orders = {cycle - 1: self._orders.get(cycle - 1, []), cycle: order}
            self._orders = {key: value for key, value in self._orders.items() if value}
        return order
