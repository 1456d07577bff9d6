"""Refills answer rejections: by seed, by what is missing, and by what an earlier try was too close to."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from synth.diversity.steering import DryWatch
from synth.example import Seed
from synth.plan import Plan
from synth.recipe.kinds.solved import CotSpec
from synth.recipe.models import ModelSpec
from synth.recipe.schema import Recipe

SEEDS = tuple(Seed(f"s{i}", {"question": str(i)}) for i in range(2))


def plan(count: int = 4, seeds: tuple[Seed, ...] = SEEDS) -> Plan:
    spec = CotSpec(kind="cot", id="g", count=count)
    axes = {"mood": ["calm", "angry"], "channel": ["chat", "email"]}
    models = {"m": ModelSpec(provider="scripted")}
    return Plan(Recipe(name="t", models=models, generate=[spec], axes=axes), spec, seeds)


def test_a_refill_takes_the_combination_that_a_rejection_left_missing() -> None:
    steered = plan()
    units = [steered.unit(index) for index in range(4)]
    assert steered.known == 4
    steered.reject(2)
    assert steered.known == 5
    assert steered.unit(4).attributes == units[2].attributes


def test_a_unit_too_close_to_something_is_tried_again_once_with_its_seed_and_told_so() -> None:
    seeds = tuple(Seed(f"s{i}", {"question": str(i)}) for i in range(30))
    steered, unsteered_order = plan(6, seeds), [plan(6, seeds).unit(index) for index in range(9)]
    steered.reject(2, ("a parcel is late",))
    again = steered.unit(6)
    assert (again.seed, again.avoid) == (unsteered_order[2].seed, ("a parcel is late",))
    assert again.cycle == 1  # so that no answer is taken for another's
    steered.reject(6, ("a parcel is later",))
    steered.reject(4)
    for index, expected in ((7, unsteered_order[6]), (8, unsteered_order[7])):
        assert (steered.unit(index).seed, steered.unit(index).avoid) == (expected.seed, ())


def test_a_refill_is_shown_what_earlier_tries_with_its_seed_were_too_close_to() -> None:
    steered = plan()
    seed = steered.unit(1).seed
    steered.reject(1, ("a parcel is late",))
    steered.reject(4, ("a parcel is later",))
    steered.reject(3)
    for unit in (steered.unit(5), steered.unit(6)):
        assert unit.avoid == (("a parcel is later",) if unit.seed == seed else ())


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.booleans(), max_size=40))
def test_no_seed_is_asked_twice_in_the_same_cycle(seeds: int, count: int, near: list[bool]) -> None:
    steered = plan(count, tuple(Seed(f"s{i}", {"question": str(i)}) for i in range(seeds)))
    for place, one in enumerate(near):
        steered.unit(place)
        steered.reject(place, ("text",) * one)
    units = [steered.unit(index) for index in range(steered.known)]
    asked = Counter((unit.seed.id, unit.cycle) for unit in units if unit.seed)
    assert max(asked.values()) == 1
    cycles = Counter(seed for seed, _ in asked)
    assert all(max(cycle for seed, cycle in asked if seed == one) == cycles[one] - 1 for one in cycles)


def test_refills_do_not_depend_on_when_they_are_asked_for() -> None:
    early, late = plan(), plan()
    early_units = []
    for place in (0, 3, 4):
        early.reject(place, (f"text {place}",))
        early_units.append(early.unit(early.known - 1))
    for place in (0, 3, 4):
        late.reject(place, (f"text {place}",))
    assert [late.unit(index) for index in (4, 5, 6)] == early_units


def test_dry_when_nearly_nothing_is_new() -> None:
    watch = DryWatch()
    for place in range(60):
        assert not watch.dry
        watch.note(None if place == 7 else "novelty")
    assert watch.dry
    assert "58 said nothing new" in str(watch) or "59 said nothing new" in str(watch)
    assert not DryWatch(["form"] * 60).dry
    assert not DryWatch([None, "novelty"] * 30).dry
