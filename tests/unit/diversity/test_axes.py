"""Covering arrays, shares by weight, constraints, and refills that go where something is missing."""

from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.diversity.axes import AxisPlan
from synth.diversity.coverage import measure_coverage
from synth.diversity.covering import possible
from synth.recipe.axes import AxisSpec
from synth.recipe.space import AxisError, Space, build_space


def plain(*sizes: int) -> Space:
    return build_space({f"a{i}": list(range(size)) for i, size in enumerate(sizes)}, [])


def rows_until_covered(space: Space, strength: int, seed: int = 1) -> int:
    plan, missing, place = AxisPlan(space, strength, seed), set(possible(space, strength)), 0
    while missing:
        attributes = plan.attributes(place)
        row = [(f, space.find(f, attributes[factor.name])) for f, factor in enumerate(space.factors)]
        missing -= set(combinations(row, strength))
        place += 1
    return place


@pytest.mark.parametrize(
    ("sizes", "strength", "most"),
    [
        ((5,) * 6, 2, 25),  # the smallest there can be
        ((3,) * 4, 2, 9),
        ((5,) * 6, 3, 125),
        ((3,) * 13, 2, 1.4 * 15),  # 15 is the smallest known
        ((10,) * 10, 2, 1.4 * 121),
        ((7, 2, 3, 2), 2, 21),
    ],
)
def test_the_first_rows_cover_every_combination(sizes: tuple[int, ...], strength: int, most: float) -> None:
    assert rows_until_covered(plain(*sizes), strength) <= most


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_constraints_hold_in_every_row_and_all_they_allow_is_covered(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    axes: dict[str, Any] = {f"a{i}": [f"v{v}" for v in range(size)] for i, size in enumerate(sizes)}
    choices = {f"v{v}": data.draw(st.lists(st.sampled_from("pqr"), min_size=1, unique=True)) for v in range(sizes[0])}
    axes["child"] = AxisSpec(by="a0", choices=choices)
    names = list(axes)
    exclude = []
    for _ in range(data.draw(st.integers(0, 4))):
        chosen = data.draw(st.lists(st.sampled_from(names[:-1]), min_size=1, max_size=3, unique=True))
        exclude.append({name: data.draw(st.sampled_from(axes[name])) for name in chosen})
    try:
        space = build_space(axes, exclude)
    except AxisError as error:
        assert "no combination" in str(error)  # noqa: PT017
        return
    plan, strength = AxisPlan(space, 2, data.draw(st.integers(0, 99))), min(2, len(names))
    rows = [plan.attributes(place) for place in range(60)]
    for row in rows:
        assert row["child"] in choices[row["a0"]]
        assert not any(all(row[name] == value for name, value in one.items()) for one in exclude)
    assert measure_coverage(space, rows)[strength].missing == ()


@settings(deadline=None)
@given(st.integers(20, 300), st.integers(0, 10**6))
def test_shares_come_out_by_weight(count: int, seed: int) -> None:
    axes: dict[str, Any] = {
        "topic": AxisSpec(values={"shipping": 80, "returns": 15, "other": 5}),
        "mood": ["a", "b", "c"],
    }
    plan = AxisPlan(build_space(axes, []), 2, seed)
    topics = Counter(plan.attributes(place)["topic"] for place in range(count))
    array_rows = 9
    assert abs(topics["shipping"] - 0.8 * count) <= max(2, array_rows * 0.8 - 0.2 * (count - array_rows)) + 1e-9


def test_a_value_without_weight_does_not_occur() -> None:
    space = build_space({"mood": AxisSpec(values={"calm": 1, "angry": 0}), "size": ["s", "l"]}, [])
    plan = AxisPlan(space, 2, 1)
    assert {plan.attributes(place)["mood"] for place in range(40)} == {"calm"}
    assert len(set(possible(space, 2))) == 2


def test_numbers_are_drawn_from_every_bin() -> None:
    space = build_space({"age": AxisSpec(range=[18, 80], bins=3, whole=True), "cost": AxisSpec(range=[0, 1])}, [])
    plan = AxisPlan(space, 1, 5)
    rows = [plan.attributes(place) for place in range(12)]
    assert all(isinstance(row["age"], int) and 18 <= row["age"] <= 80 and 0 <= row["cost"] <= 1 for row in rows)
    assert sorted(Counter(space.find(0, row["age"]) for row in rows).values()) == [4, 4, 4]
    assert sorted(Counter(space.find(1, row["cost"]) for row in rows).values()) == [3, 3, 3, 3]


@pytest.mark.parametrize(("low", "high"), [(1e-7, 4e-7), (0.1, 0.1000001), (1, 1 + 2**-52), (-3e-300, 2e-300)])
def test_numbers_of_a_narrow_range_stay_in_it_and_differ(low: float, high: float) -> None:
    plan = AxisPlan(build_space({"lr": AxisSpec(range=[low, high], bins=2)}, []), 1, 5)
    drawn = [plan.attributes(place)["lr"] for place in range(20)]
    assert all(low <= value <= high for value in drawn)
    assert len(set(drawn)) > (1 if high - low < 1e-15 * low else 15)


def test_a_dependent_axis_may_have_more_values_than_any_one_list() -> None:
    choices: dict[str, Any] = {str(p): [f"{p}-{n}" for n in range(9_400)] for p in range(7)} | {"7": ["last"]}
    axes: dict[str, Any] = {"p": list(choices), "child": AxisSpec(by="p", choices=choices)}
    plan = AxisPlan(build_space(axes, [{"p": list(choices)[:7]}]), 1, 1)
    assert plan.attributes(0) == {"p": "7", "child": "last"}


@pytest.mark.parametrize(
    ("axis", "exclude", "left"),
    [
        (AxisSpec(values={"1": 8, "2": 1}), 1, "2"),
        (AxisSpec(values={"true": 8, "no": 1}), True, "no"),
        (AxisSpec(range=[1, 20], bins=2, whole=True), "1..10", 15),
        (AxisSpec(range=[1, 20], bins=2, whole=True), 3, 15),
    ],
)
def test_what_is_excluded_may_be_said_by_the_label_that_messages_show(axis: AxisSpec, exclude: Any, left: Any) -> None:
    space = build_space({"a": axis}, [{"a": exclude}])
    left_over = [f for f in range(2) if space.feasible({0: f})]
    assert left_over == [space.find(0, left)]


def test_a_refill_goes_where_a_rejection_left_a_gap() -> None:
    space = plain(3, 3, 3)
    plan = AxisPlan(space, 2, 8)
    rows = [plan.attributes(place) for place in range(9)]
    for number, rejected in enumerate((2, 5)):
        plan.refill(rejected)
        rows.append(plan.attributes(9 + number))
    kept = [row for place, row in enumerate(rows) if place not in (2, 5)]
    assert measure_coverage(space, kept)[2].covered > measure_coverage(space, kept[:7])[2].covered
    more = [plan.attributes(place) for place in range(11, 15)]
    assert measure_coverage(space, [*kept, *more])[2].missing == ()


def test_what_is_always_rejected_is_given_up() -> None:
    plan = AxisPlan(plain(2, 2), 2, 1)
    wanted = plan.attributes(0)
    place, aimed = 0, 0
    for end in range(4, 60):
        plan.attributes(end - 1)
        plan.refill(place)
        place = end
        aimed += plan.attributes(end) == wanted
    assert aimed < 30


def test_one_value_and_ten_thousand() -> None:
    space = build_space({"one": ["x"], "many": list(range(10_000)), "some": list(range(40))}, [])
    plan = AxisPlan(space, 2, 1)
    rows = [plan.attributes(place) for place in range(200)]
    assert len({row["many"] for row in rows}) == 200
    coverage = measure_coverage(space, rows)
    assert (coverage[1].possible, coverage[2].missing) == (10_041, ())


@pytest.mark.parametrize(
    ("axes", "exclude", "message"),
    [
        ({"a": [1]}, [{"a": 1}], "no combination"),
        ({"a": [1]}, [{"b": 1}], "no axis 'b'"),
        ({"a": [1]}, [{"a": 2}], "no value '2'"),
        ({"a": AxisSpec(by="b", choices={"x": [1]})}, [], "no axis 'b' stands before"),
        ({"b": ["x", "y"], "a": AxisSpec(by="b", choices={"x": [1]})}, [], "no choices for b = y"),
        ({"b": ["x"], "a": AxisSpec(by="b", choices={"x": [1], "z": [1]})}, [], "no value 'z'"),
        ({"a": AxisSpec(range=[0.2, 0.8], whole=True)}, [], "no whole number"),
    ],
)
def test_axes_that_cannot_be(axes: dict[str, Any], exclude: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(AxisError, match=message):
        build_space(axes, exclude)
