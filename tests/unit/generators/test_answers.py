import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.generators.answers import normalize_answer, parse_final_answer, same_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("3 * 4 = 12.\nAnswer: 12", "12"),
        ("**Answer:** 12 pens.", "12 pens"),
        ("So the final answer is 42.", "42"),
        ("The answer is: $1,250.50", "1,250.50"),
        ("Therefore \\boxed{22}.", "22"),
        ("Answer: 3\nWait, that is wrong.\nAnswer: 4", "4"),
        ("#### 72", "72"),
        ("Answer: (B)", "(B)"),
        ("answer = 7", "7"),
        ("Final Answer: **9 days**", "9 days"),
    ],
)
def test_the_last_marked_answer_is_found(text: str, answer: str) -> None:
    assert parse_final_answer(text) == answer


@pytest.mark.parametrize("text", ["", "I do not know.", "There are 12 pens.", "Answer:", "Answer: \n"])
def test_no_mark_no_answer(text: str) -> None:
    assert parse_final_answer(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12", "12 pens"),
        ("$1,250.50", "1250.5 dollars"),
        ("3/4", "0.75"),
        ("(B)", "b"),
        ("Paris", "paris."),
        ("-5", "−5"),
        ("18.00", "18"),
        ("9 days", "9"),
    ],
)
def test_answers_that_are_the_same(one: str, other: str) -> None:
    assert same_answer(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("12", "13"), ("5", "-5"), ("A", "B"), ("Paris", "London"), ("3/4", "3/5"), ("0.111 days", "9")]
)
def test_answers_that_differ(one: str, other: str) -> None:
    assert not same_answer(one, other)


@given(st.integers(-9999, 9999).map(str) | st.text(alphabet=" abcXYZ.,%$()'", max_size=40))
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = normalize_answer(text)
    assert normalize_answer(once) == once


@given(st.integers(-(10**12), 10**12))
def test_numbers_survive_separators_units_and_signs(number: int) -> None:
    assert same_answer(f"{number:,} apples", str(number))
    assert not same_answer(f"{number:,}", str(number + 1))
