"""Refills answer rejections: by seed, by what is missing, and by what an earlier try was too close to."""

from synth.diversity.steering import DryWatch
from synth.example import Seed
from synth.plan import Plan
from synth.recipe.kinds.solved import CotSpec
from synth.recipe.models import ModelSpec
from synth.recipe.schema import Recipe

SEEDS = tuple(Seed(f"s{i}", {"question": str(i)}) for i in range(2))


def plan(count: int = 4) -> Plan:
    spec = CotSpec(kind="cot", id="g", count=count)
    axes = {"mood": ["calm", "angry"], "channel": ["chat", "email"]}
    models = {"m": ModelSpec(provider="scripted")}
    return Plan(Recipe(name="t", models=models, generate=[spec], axes=axes), spec, SEEDS)


def test_a_refill_takes_the_combination_that_a_rejection_left_missing() -> None:
    steered = plan()
    units = [steered.unit(index) for index in range(4)]
    assert steered.known == 4
    steered.reject(2)
    assert steered.known == 5
    assert steered.unit(4).attributes == units[2].attributes


def test_a_refill_is_shown_what_earlier_tries_with_its_seed_were_too_close_to() -> None:
    steered = plan()
    seeds = {index: unit.seed.id for index in range(4) if (unit := steered.unit(index)).seed}
    steered.reject(1, ("a parcel is late",))
    steered.reject(3)
    refills = [steered.unit(index) for index in (4, 5)]
    for unit in refills:
        assert unit.seed is not None
        assert unit.avoid == (("a parcel is late",) if unit.seed.id == seeds[1] else ())


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
