from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.generators.arithmetic import dead_ends, unsupported_numbers, wrong_equations
from synth.generators.quantities import quantities


@pytest.mark.parametrize(
    "text",
    [
        "3 * 4 = 12 pens",
        "15 * 6 + 15 * 4 = $90 + $60 = $150",
        "Total hours = 6 + 4 = 10 hours",
        "10 * $15 = $150",
        "\\[ 28 \\div 4 = 7 \\]",
        "4 bags × 6 rolls per bag = 24 rolls",
        "1,200 / 4 = 300",
        "20% * 50 = 10",
        "10 / 3 = 3.33",
        "(2 + 3) * 4 = 20",
        "x = 5",
        "There is nothing to compute here.",
        "5 x 6 = 30",
        "\\[ \\frac{24 \\text{ students}}{6 \\text{ muffins/student}} = 4 \\text{ muffins} \\]",
        "\\(\\frac{4300}{100} = 43\\)",
        "So \\( 4K + 10 = 340 \\), and 0.5x - 10.00 = 14.50",
        "K + (4K + 10) = 340",
        "Price of 4 = 4 * 12 = 48",
        "30 \\text{ red balls} + 50 \\text{ white balls} = 80 \\text{ balls}",
        "30 - 50 = -20, so -20 * 2 = -40",
        "30 + (-50) = (-20)",
        "-$50 + $30 = - $20 = -(50 - 30)",
        "5 * -4 = −20",
        "- 50 + 30 = 80",
        "10-20 = -10, from 10-20 to 2024-05-20",
    ],
)
def test_true_or_no_equations_pass(text: str) -> None:
    assert wrong_equations(text) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("3 * 4 = 13 pens", "3 * 4 = 13"),
        ("15 * 6 + 15 * 4 = 90 + 50", "15 * 6 + 15 * 4 = 90 + 50"),
        ("6 + 4 = 10 = 11 - 2", "10 = 11 - 2"),
        ("4 bags * 6 rolls = 25 rolls", "4 bags * 6 = 25"),
        ("10 / 3 = 3", "10 / 3 = 3"),
        ("10 / 3 = 3.4", "10 / 3 = 3.4"),
        ("\\frac{4300}{100} = 44", "4300 / 100 = 44"),
        ("30 \\text{ red} + 50 \\text{ white} = 90", "30 red + 50 = 90"),
        ("30 - 50 = 20", "30 - 50 = 20"),
        ("30 - 50 = -21", "30 - 50 = -21"),
        ("-50 + 30 = 20", "-50 + 30 = 20"),
    ],
)
def test_false_equations_are_named(text: str, wrong: str) -> None:
    assert wrong_equations(text) == [wrong]


@given(st.integers(0, 9999), st.integers(1, 9999), st.sampled_from("+-*"), st.integers(-3, 3))
def test_an_equation_is_wrong_exactly_when_its_sides_differ(a: int, b: int, sign: str, off: int) -> None:
    value = {"+": a + b, "-": a - b, "*": a * b}[sign] + off
    assert bool(wrong_equations(f"So {a} {sign} {b} = {value} in all.")) == (off != 0)


def test_numbers_must_come_from_the_question_or_an_equation() -> None:
    question = "A class of 28 pupils is divided into groups of 4. Each group needs 3 scissors. How many scissors?"
    assert unsupported_numbers(question, "28 / 4 = 7 groups. 7 * 3 = 21 scissors. Answer: 21") == []
    assert unsupported_numbers(question, "That gives 7 groups. 7 * 3 = 21 scissors. Answer: 21") == ["7"]


@pytest.mark.parametrize(
    "text",
    [
        "1. There are 28 / 4 = 7 groups.\n2. They need 7 * 3 = 21.\n\nAnswer: 21",
        "**Step 1:** 28 / 4 = 7\n### Step 2:\n7 * 3 = 21",
        "Needed = 28 / 4 * 3\nNeeded = 7 * 3\nNeeded = 21",
        "Let \\(x\\) be the number of groups. 4x = 28\nx = 7\n7 * 3 = 21",
        "All five of these groups: 7 * 3 = 21 in a week. Add the two: 7 * 3 = 21.",
        "In a week of 7 days they need 7 * 3 = 21.",
    ],
)
def test_numbers_of_steps_and_common_knowledge_need_no_source(text: str) -> None:
    question = "A class of 28 pupils is divided into groups of 4. Each group needs 3 scissors. How many scissors?"
    assert unsupported_numbers(question, text) == []


def test_a_percentage_may_be_written_as_a_share() -> None:
    assert unsupported_numbers("He pays 80% of 360 dollars. How much?", "360 * 0.80 = 288, or 360 - 0.2 * 360") == []


@pytest.mark.parametrize(
    ("text", "unsupported"),
    [
        ("So the profit is 30 - 50 = -20 dollars.\nAnswer: -20", []),
        ("30 - 50 gives him -$20.\nAnswer: -20", []),
        ("He has -50 + 30 left.\nAnswer: -20", []),
        ("His profit is negative.\nAnswer: -20", ["20"]),
    ],
)
def test_a_negative_result_comes_from_computing(text: str, unsupported: list[str]) -> None:
    question = "Bob sells for 30 dollars what cost him 50 dollars. What is his profit, negative for a loss?"
    assert unsupported_numbers(question, text) == unsupported
    assert dead_ends(text, "-20") == []


def test_a_step_that_nothing_comes_of_is_a_dead_end() -> None:
    assert dead_ends("4 * 28 = 112 in one group. 28 / 4 = 7 groups. 7 * 3 = 21.", "21") == ["4 * 28 = 112"]
    assert dead_ends("28 / 4 = 7 groups. 7 * 3 = 21.", "21") == []
    assert dead_ends("50 - 4 * 8 = 50 - 32 = 18", "18") == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("twenty-five cats and 3 dogs", {25: 1, 3: 1}),
        ("Four friends, 4 pizzas", {4: 2}),
        ("one of a dozen", {12: 1}),
        ("1,250.50 dollars", {Fraction(2501, 2): 1}),
        ("thirty days", {30: 1}),
        ("half of 10", {2: 1, 10: 1}),
    ],
)
def test_quantities(text: str, numbers: dict[Fraction, int]) -> None:
    assert dict(quantities(text)) == numbers


@pytest.mark.parametrize("piece", ["1 x ", "1 + ", "1 a ", "(", "\\frac{", "3 boxes of x (4) ", "-1 "])
def test_a_chain_that_repeats_itself_for_pages_is_read(piece: str) -> None:
    assert wrong_equations(piece * 2000) == dead_ends(piece * 2000, "1") == []
