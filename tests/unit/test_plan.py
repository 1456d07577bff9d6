from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from synth.example import Seed
from synth.plan import Plan
from synth.recipe.kinds.solved import CotSpec
from synth.recipe.models import ModelSpec
from synth.recipe.schema import Recipe

SEEDS = tuple(Seed(f"s{i}", {"question": str(i)}) for i in range(7))


def plan(seed: int = 1, generator: str = "g", count: int = 5) -> Plan:
    spec = CotSpec(kind="cot", id=generator, count=count)
    recipe = Recipe(
        name="t",
        seed=seed,
        models={"m": ModelSpec(provider="scripted")},
        generate=[spec],
        axes={"mood": ["calm", "angry"], "channel": ["chat", "email", "phone"]},
    )
    return Plan(recipe, spec, SEEDS)


@settings(deadline=None)  # planning 200 places takes as long as the machine is busy
@given(st.integers(0, 10**6), st.integers(0, 50))
def test_a_unit_depends_on_its_place_alone(seed: int, index: int) -> None:
    one, other = plan(seed, count=3), plan(seed, count=300)
    other.unit(200)
    assert one.unit(index) == other.unit(index)


def test_every_seed_comes_once_in_each_cycle_in_a_new_order() -> None:
    units = [plan().unit(index) for index in range(21)]
    cycles = [[unit.seed.id for unit in units[start : start + 7] if unit.seed] for start in (0, 7, 14)]
    assert all(sorted(cycle) == [seed.id for seed in SEEDS] for cycle in cycles)
    assert len({tuple(cycle) for cycle in cycles}) == 3
    assert [unit.cycle for unit in units] == [0] * 7 + [1] * 7 + [2] * 7


def test_generators_and_recipe_seeds_have_plans_of_their_own() -> None:
    seeds = {plan(seed, name).unit(3).rng_seed for seed in (1, 2) for name in ("a", "b")}
    assert len(seeds) == 4


def test_every_value_of_an_axis_comes_equally_often() -> None:
    attributes = [plan().unit(index).attributes for index in range(12)]
    assert Counter(row["mood"] for row in attributes) == {"calm": 6, "angry": 6}
    assert Counter(row["channel"] for row in attributes) == {"chat": 4, "email": 4, "phone": 4}
