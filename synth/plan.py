"""The plan: which unit stands at which place. It has no end, so that what is rejected can be made up for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synth.diversity.axes import AxisPlan
from synth.diversity.long_tail import draw_long_tail
from synth.example import Seed, WorkUnit
from synth.fingerprint import derive_rng, derive_seed
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.schema import Recipe
from synth.recipe.space import Space, build_space


@dataclass(frozen=True, slots=True)
class _Turn:
    """Which seed a place has, by number; how often that was taken before; and what to differ from. ``again``: it is
    given to the seed of what it answers, to be told what that was too close to."""

    seed: int | None
    cycle: int
    avoid: tuple[str, ...] = ()
    again: bool = False


class Plan:
    """One generator's units: a first pass of ``count`` places that follow from the recipe and the seeds alone, then
    refills, where the k-th refill answers the k-th rejection in plan order.

    Where a recipe is ``steered`` (it has axes, or compares meanings), a refill depends on all rejections up to its own:
    it goes where combinations are missing, and is shown what earlier tries with its seed were too close to. One that
    answers a unit that was too close to something tries that unit's seed again, once: a seed that has nothing new to
    give must not take all attempts. So a refill cannot be had before its rejection is known, and is the same at any
    concurrency.

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
        self.has_personas = recipe.personas is not None
        self._axes = AxisPlan(self.space, recipe.coverage, derive_seed(self._root, "axes"))
        self._rejections: list[tuple[int, tuple[str, ...]]] = []
        self._refills: list[_Turn] = []
        self._avoid: dict[int | None, tuple[str, ...]] = {}
        self._again: Counter[int | None] = Counter()
        self._in_order = spec.count
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
        turn = self._turn(index)
        rng_seed = derive_seed(self._root, "unit", index)
        return WorkUnit(
            generator=self._spec.id,
            kind=self._spec.kind,
            index=index,
            cycle=turn.cycle,
            seed=None if turn.seed is None else self._seeds[turn.seed],
            attributes=self._axes.attributes(index),
            rng_seed=rng_seed,
            persona=self._personas[self._shuffled("persona", len(self._personas), index)] if self._personas else None,
            long_tail=draw_long_tail(self._long_tail, derive_seed(rng_seed, "long tail")),
            avoid=turn.avoid,
        )

    def _refill_to(self, index: int) -> None:
        while self.steered and len(self._refills) <= min(index - self._spec.count, len(self._rejections) - 1):
            place, near = self._rejections[len(self._refills)]
            self._axes.attributes(self._spec.count + len(self._refills) - 1)  # every place before stands
            self._axes.refill(place)
            rejected = self._turn(place) if near else None
            if rejected is not None:
                self._avoid[rejected.seed] = near
            self._refills.append(self._refill(None if rejected is None or rejected.again else rejected))

    def _refill(self, rejected: _Turn | None) -> _Turn:
        """The next refill, with the seed of ``rejected`` where that is to be tried again."""
        again = rejected is not None
        if not self._seeds:
            return _Turn(None, self._spec.count + len(self._refills), self._avoid.get(None, ()), again)
        cycle, step = divmod(self._in_order, len(self._seeds))
        order = self._order("order", len(self._seeds), cycle)
        seed = order[step] if rejected is None else rejected.seed
        taken = cycle + self._again[seed]
        if again:
            taken += seed in order[:step]
            self._again[seed] += 1
        else:
            self._in_order += 1
        return _Turn(seed, taken, self._avoid.get(seed, ()), again)

    def _turn(self, index: int) -> _Turn:
        if 0 <= index - self._spec.count < len(self._refills):
            return self._refills[index - self._spec.count]
        if not self._seeds:
            return _Turn(None, index)
        return _Turn(self._shuffled("order", len(self._seeds), index), index // len(self._seeds))

    def _shuffled(self, what: str, count: int, index: int) -> int:
        """The number at ``index`` in an endless row of shuffles of ``count`` numbers."""
        cycle, place = divmod(index, count)
        return self._order(what, count, cycle)[place]

    def _order(self, what: str, count: int, cycle: int) -> list[int]:
        order = self._orders.get((what, cycle))
        if order is None:
            order = list(range(count))
            derive_rng(self._root, what, cycle).shuffle(order)
            self._orders = {key: kept for key, kept in self._orders.items() if key[0] != what or key[1] == cycle - 1}
            self._orders[what, cycle] = order
        return order
