"""The plan: which unit stands at which place. It has no end, so that what is rejected can be made up for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synth.diversity.axes import AxisPlan
from synth.diversity.long_tail import draw_long_tail
from synth.example import Seed, WorkUnit
from synth.fingerprint import derive_rng, derive_seed
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.schema import Recipe
from synth.recipe.space import Space, build_space


class Plan:
    """One generator's units: a first pass of ``count`` places that follow from the recipe and the seeds alone, then
    refills, where the k-th refill answers the k-th rejection in plan order.

    Where a recipe is ``steered`` (it has axes, or compares meanings), a refill depends on all rejections up to its own:
    it goes where combinations are missing, and is shown what earlier tries with its seed were too close to. So it
    cannot be had before that rejection is known, and is the same at any concurrency.

    The seeds are gone through again and again, in a new order each time, so a small count is not all of the first few.
    """

    def __init__(
        self, recipe: Recipe, spec: GeneratorSpec, seeds: Sequence[Seed], personas: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self._spec = spec
        self._seeds = seeds
        self._personas = personas
        self._long_tail = recipe.long_tail
        self._root = derive_seed(recipe.seed, spec.id)
        self.space: Space = build_space(recipe.axes, recipe.exclude)
        self.steered = bool(recipe.axes) or recipe.compares_meanings
        self._axes = AxisPlan(self.space, recipe.coverage, derive_seed(self._root, "axes"))
        self._rejections: list[tuple[int, tuple[str, ...]]] = []
        self._refilled = 0
        self._avoid: dict[int | None, tuple[str, ...]] = {}
        self._orders: dict[tuple[str, int], list[int]] = {}

    def use_personas(self, personas: Sequence[Mapping[str, Any]]) -> None:
        """Give units these personas; before the first is asked for."""
        self._personas = personas

    def use_seeds(self, seeds: Sequence[Seed]) -> None:
        """Give units these seeds; before the first is asked for in earnest."""
        self._seeds = seeds
        self._orders = {}

    @property
    def known(self) -> int:
        """Places whose units are determined by now."""
        return self._spec.count + len(self._rejections)

    def reject(self, place: int, near: tuple[str, ...] = ()) -> None:
        """Note, in plan order, that the unit at ``place`` was rejected; ``near`` are the texts it was too close to."""
        self._rejections.append((place, near))

    def unit(self, index: int) -> WorkUnit:
        """The unit at ``index``; where the plan is steered, an index below :attr:`known`."""
        self._refill_to(index)
        cycle = index // len(self._seeds) if self._seeds else index
        seed = self._seed_at(index)
        rng_seed = derive_seed(self._root, "unit", index)
        return WorkUnit(
            generator=self._spec.id,
            kind=self._spec.kind,
            index=index,
            cycle=cycle,
            seed=None if seed is None else self._seeds[seed],
            attributes=self._axes.attributes(index),
            rng_seed=rng_seed,
            persona=self._personas[self._shuffled("persona", len(self._personas), index)] if self._personas else None,
            long_tail=draw_long_tail(self._long_tail, derive_seed(rng_seed, "long tail")),
            avoid=self._avoid.get(seed, ()) if index >= self._spec.count else (),
        )

    def _refill_to(self, index: int) -> None:
        while self.steered and self._refilled <= min(index - self._spec.count, len(self._rejections) - 1):
            place, near = self._rejections[self._refilled]
            self._axes.attributes(self._spec.count + self._refilled - 1)  # every place before stands
            self._axes.refill(place)
            if near:
                self._avoid[self._seed_at(place)] = near
            self._refilled += 1

    def _seed_at(self, index: int) -> int | None:
        return self._shuffled("order", len(self._seeds), index) if self._seeds else None

    def _shuffled(self, what: str, count: int, index: int) -> int:
        """The number at ``index`` in an endless row of shuffles of ``count`` numbers."""
        cycle, place = divmod(index, count)
        order = self._orders.get((what, cycle))
        if order is None:
            order = list(range(count))
            derive_rng(self._root, what, cycle).shuffle(order)
            self._orders = {key: kept for key, kept in self._orders.items() if key[0] != what or key[1] == cycle - 1}
            self._orders[what, cycle] = order
        return order[place]
