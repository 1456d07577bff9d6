from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import UsageError
from synth.governance.numbers import parse_bounds, read_numbers
from synth.governance.privacy import STATISTICS, Ledger, Query, Statistic, private_statistic

pytest.importorskip("opendp")


@pytest.mark.parametrize("statistic", STATISTICS)
def test_with_a_large_epsilon_it_is_nearly_the_truth(statistic: Statistic) -> None:
    values = [10.0] * 40 + [30.0] * 60 + [1000.0] * 10  # the last are moved to the bound, 40
    truth = {
        "count": [110],
        "sum": [10 * 40 + 30 * 60 + 40 * 10],
        "mean": [(10 * 40 + 30 * 60 + 40 * 10) / 110],
        "histogram": [0, 40, 0, 70],
    }
    found = private_statistic(values, Query(statistic, 1000.0, (0, 40), bins=4))
    assert found == pytest.approx(truth[statistic], abs=2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_a_mean_stays_within_its_bounds(values: list[float]) -> None:
    [mean] = private_statistic(values, Query("mean", 0.1, (0, 5)))
    assert 0 <= mean <= 5


def test_a_small_epsilon_makes_noise() -> None:
    found = {round(private_statistic([1.0] * 50, Query("count", 0.05, (0, 1)))[0], 3) for _ in range(30)}
    assert len(found) > 5


def test_the_ledger_adds_up_and_refuses(tmp_path: Path) -> None:
    ledger, query = Ledger(tmp_path / "people.csv"), Query("mean", 0.4, (0, 1))
    assert ledger.spend("age", query, budget=1) == pytest.approx(0.4)
    assert ledger.spend("age", query, budget=1) == pytest.approx(0.8)
    with pytest.raises(UsageError, match=r"over the budget of 1: 0\.8 is spent"):
        ledger.spend("age", query, budget=1)
    assert Ledger(tmp_path / "people.csv").spent == pytest.approx(0.8)
    (tmp_path / "people.csv").touch()
    (tmp_path / "again.csv").symlink_to("people.csv")
    assert Ledger(tmp_path / "again.csv").spent == pytest.approx(0.8)
    ledger.path.write_text("nonsense\n")
    with pytest.raises(UsageError, match="cannot be read"):
        ledger.spend("age", query, budget=1)


@pytest.mark.parametrize("text", ["5", "a,b", "3,1", "1,1", "0,inf", "0,nan", "1,2,3"])
def test_bounds_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--bounds"):
        parse_bounds(text)


def test_what_is_no_number_is_told_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"age": 4}\n{"age": "5.5"}\n{"age": null}\n')
    with pytest.raises(UsageError, match=r"p\.jsonl:3: 'age' is no finite number"):
        read_numbers(path, "age")
    path.write_text('{"age": 4}\n{"age": "5.5"}\n')
    assert read_numbers(path, "age") == [4, 5.5]
