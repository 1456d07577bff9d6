import pytest

from synth.progress.words import format_count, format_duration, format_left, format_reasons, format_usd


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (42.4, "42 s"),
        (59.9, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7_645, "2 h 07 min"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert format_duration(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (7.6, "8 s"), (12.3, "12 s"), (125, "2 min 05 s")])
def test_estimates_have_no_fractions_of_a_second(seconds: float, said: str) -> None:
    assert format_left(seconds) == said


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (0, "$0"),
        (0.000042, "$0.000042"),
        (3e-7, "$0.00000030"),
        (0.00042, "$0.00042"),
        (0.05, "$0.050"),
        (0.1, "$0.10"),
        (1234.5, "$1,234.50"),
    ],
)
def test_money(usd: float, said: str) -> None:
    assert format_usd(usd) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0"), (9_999, "9,999"), (12_345, "12.3k"), (4_560_000, "4.56M")])
def test_counts(number: float, said: str) -> None:
    assert format_count(number) == said


def test_reasons_are_ranked_and_the_rest_is_summed_up() -> None:
    rejected = {"copy": 2, "answer": 9, "form": 1, "vote": 2, "length": 3}
    assert format_reasons(rejected) == "answer 9, length 3, copy 2, 3 other"
    assert format_reasons({"answer": 1}) == "answer 1"
    assert format_reasons({}) == ""
