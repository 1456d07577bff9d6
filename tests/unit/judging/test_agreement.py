"""Kappa against published values, and where it is undefined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.judging.agreement import agreement, cohen, fleiss

FLEISS_1971 = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
"""Ten subjects, fourteen judges, five levels: how many judges gave which level. The kappa is 0.210."""


def test_cohen_of_the_textbook_example() -> None:
    """50 proposals: both yes 20, both no 15, only the first 5, only the second 10; p_o .7, p_e .5."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = cohen(pairs)
    assert found.items == 50
    assert found.observed == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)


def test_fleiss_of_the_textbook_example() -> None:
    ratings = [[level for level, times in enumerate(row) for _ in range(times)] for row in FLEISS_1971]
    found = fleiss(ratings)
    assert found.kappa == pytest.approx(0.210, abs=5e-4)
    assert found.observed == pytest.approx(0.378, abs=5e-4)


def test_judges_that_always_say_the_same_have_no_kappa() -> None:
    assert cohen([("5", "5")] * 9).kappa is None
    assert fleiss([["5", "5", "5"]] * 9).kappa is None


def test_one_judge_that_always_says_the_same_has_kappa_zero() -> None:
    assert cohen([("5", "5"), ("5", "2"), ("5", "5"), ("5", "1")]).kappa == pytest.approx(0)


def test_two_judges_get_cohen_and_more_get_fleiss() -> None:
    two, three = agreement([["a", "b"], ["b", "b"]]), agreement([["a", "b", "a"], ["b", "b", "b"]])
    assert two is not None
    assert three is not None
    assert (two.statistic, three.statistic) == ("cohen", "fleiss")
    assert agreement([["a"]]) is None
    assert agreement([]) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_kappa_is_symmetric_and_bounded(pairs: list[tuple[str, str]]) -> None:
    found, swapped = cohen(pairs), cohen([(two, one) for one, two in pairs])
    assert found.kappa == pytest.approx(swapped.kappa) if found.kappa is not None else swapped.kappa is None
    assert found.kappa is None or -1 <= found.kappa <= 1
    if len(set(pairs)) > 1 and all(one == two for one, two in pairs):
        assert found.kappa == pytest.approx(1)
