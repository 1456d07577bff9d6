import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from synth.generators.answers import normalize_answer, parse_final_answer, parse_number, reference_answer, same_answer
from synth.generators.expressions import normal_form


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
        ("Answer: \\boxed{\\frac{3}{4}}", "\\frac{3}{4}"),
        ("so \\(\\boxed{18 \\text{ dollars}}\\).", "18 \\text{ dollars}"),
        ("3 * 4 = 12\n\nAnswer:\n12 pens.", "12 pens"),
        ("That makes 3 * 4 = 12. Answer: 12", "12"),
        ("\\boxed{3}. The answer is 4.", "4"),
        ("Answer: 7\n\nLet me know if the answer is clear!", "7"),
        ("Answer: Let us see.\n3 * 4 = 12, so the answer is 12.", "12"),
        ("Answer: A\nNo: the answer is (B).", "(B)"),
        ("Answer: 12 (each gets 4 = 12/3)", "12 (each gets 4 = 12/3)"),
    ],
)
def test_the_last_marked_answer_is_found(text: str, answer: str) -> None:
    assert parse_final_answer(text) == answer


def test_lines_without_words_cost_no_more_than_others() -> None:
    assert parse_final_answer("\n" * 50_000 + "Answer: 3") == "3"  # minutes, where each looks through all that follow


@pytest.mark.parametrize("text", ["", "I do not know.", "There are 12 pens.", "Answer:", "Answer: \n", "\\boxed{3"])
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
        ("3 * 4 = 12", "12 pens"),
        ("x = 5", "5"),
        ("1 1/2 hours", "3/2"),
        ("\\frac{3}{4}", "0.75"),
        ("18 \\text{ dollars}", "$18"),
        ("12\\%", "12%"),
        ("\\$1{,}200", "1200"),
        ("B) 12 apples", "b"),
        ("Option C", "(C)"),
        ("12kg", "12 kg"),
        ("sqrt(12)", "2\\sqrt{3}"),
        ("(x+1)^2", "x^2 + 2x + 1"),
        ("1/(1+sqrt(2))", "sqrt(2) - 1"),
        ("\\frac{x^2-1}{x-1}", "x + 1"),
        ("\\frac{\\pi}{2}", "0.5*pi"),
        ("3 + 4", "7"),
        ("-1 1/2", "-1.5"),
        ("(3, 4)", "3,4"),
        ("$(3, \\frac{1}{2})$", "(3, \\frac{1}{2})"),
        ("x \\geq 3", "x>=3"),
        ("<b>12</b>", "12"),
        ("=> 12", "12"),
        ("12 pens, and 3 boxes", "12 pens and 3 boxes"),
        ("25 m^2", "25"),
        ("25cm²", "25"),
        ("25 \\text{ cm}^2", "25"),
        ("9.8 m/s^2", "9.8"),
        ("4π cm²", "4\\pi"),
        ("B. Paris", "B"),
        ("A. 12", "A"),
        ("\\textbf{(C)} 12", "C"),
        ("½", "1/2"),
        ("5½", "5.5"),
        ("\\frac12", "1/2"),
        ("\\frac{\\sqrt3}2", "sqrt(3)/2"),
        ("2^16", "65536"),
        ("10^12", "1000000000000"),
        ("6.02×10²³", "602000000000000000000000"),
        ("(1/2)^16", "1/65536"),
        ("\\sqrt[3]{8}", "2"),
        ("5²", "25"),
        ("-$20", "-20"),
        ("-\\$20", "$-20"),
        ("–5", "-5"),
        ("minus 5", "-5"),
        ("x = negative 5", "-5"),
        ("$1.5 million", "1,500,000"),
        ("30^{\\circ}", "30°"),
        ("3 + 4 + 5 = 7 + 5 = 12", "12"),
        ("A = l × w = 12", "12"),
        ("3 x 4 = 12 pens", "12"),
        ("60 m / 5 s = 12 m/s", "12"),
        ("Cost of a pen = $12", "12"),
        ("f(2) = 5", "5"),
        ("P(X = 2) = 1/2", "0.5"),
        ("3 = x", "x = 3"),
        ("2x + 3y = 6", "3y + 2x = 6"),
        ("12 (each gets 4 = 12/3)", "12"),
        ("\\left(3, 4\\right)", "(3,4)"),
        ("\\ln 5", "ln(5)"),
    ],
)
def test_answers_that_are_the_same(one: str, other: str) -> None:
    assert same_answer(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12", "13"),
        ("5", "-5"),
        ("A", "B"),
        ("Paris", "London"),
        ("3/4", "3/5"),
        ("0.111 days", "9"),
        ("x^2", "2"),
        ("3:30", "3"),
        ("3:30", "33"),
        ("(3, 4)", "7"),
        ("(3, 4)", "(4, 3)"),
        ("(3, 3)", "3"),
        ("[1, 2, 3]", "3"),
        ("{1,2}", "3"),
        ("1 2", "3"),
        ("3 - 4i", "-1"),
        ("x < 3", "x > 3"),
        ("x < 3", "3"),
        ("x >= 3", "3"),
        ("x \\le 3", "x >= 3"),
        ("not 5", "5"),
        ("at least 5", "5"),
        ("1 1/2", "-1 1/2"),
        ("10-12 days", "22"),
        ("sqrt(2)", "2"),
        ("x + 1", "x - 1"),
        ("x = 2 or x = 3", "x = 7 or x = 3"),
        ("x = 2, y = 3", "x = 1, y = 3"),
        ("x = 2 y = 3", "x = 1 y = 3"),
        ("2x + 3y = 6", "5x - y = 6"),
        ("2k + 3m = 6", "5k - m = 6"),
        ("2\\theta + 3 = 7", "7"),
        ("x^2+y^2=25", "25"),
        ("xy = 6", "6"),
        ("3 = x", "5 = x"),
        ("Ann = 5 pens, Bob = 3 pens", "3"),
        ("\\ln 5", "5"),
        ("\\sin 30", "30"),
        ("\\log 2", "2"),
        ("-\\ln 2", "\\ln 2"),
        ("\\sin(x) - \\cos(x)", "\\sin(x) + \\cos(x)"),
        ("e^5", "5"),
        ("5!", "5"),
        ("|5|", "5"),
        ("\\pm 5", "5"),
        ("2i", "2"),
        ("t^2", "2"),
        ("k+1", "1"),
        ("k - 1", "k + 1"),
        ("k/2", "2"),
        ("5 x", "5"),
        ("-b", "b"),
        ("√5 cm", "5"),
        ("5²", "52"),
        ("20", "-$20"),
        ("negative 5", "5"),
        ("10 minus 5", "-5"),
        ("5 million", "5"),
        ("5 hundred thousand", "5"),
        ("5 or more", "5"),
        ("5 and a half", "5"),
        ("\\infty", "-\\infty"),
        ("+", "-"),
        ("J. Smith", "J. Jones"),
        ("(3, \\frac{1}{2})", "3.5"),
    ],
)
def test_answers_that_differ(one: str, other: str) -> None:
    assert not same_answer(one, other)


ATOMS = st.integers(0, 99).map(str) | st.sampled_from(["x", "y", "pi", "sqrt(2)", "0.5"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({''.join(parts)})"),
    max_leaves=5,
)


@given(
    st.text(max_size=30)
    | st.text(alphabet=" x123,;:<>≤!=()[]{}\\.$", max_size=15)
    | st.text(alphabet=" abcXYZ0123.,%$()'/-−=^:\\n{}", max_size=30)
    | st.lists(
        st.sampled_from([".0A1", "12", " ", "(B)", "\\\\frac{1}{2}", "sqrt", "x", "^2", "kg", "-", ",000"]), max_size=5
    ).map("".join)
    | st.lists(
        st.sampled_from("x k 2 ½ ² = - + ! | m million minus or and π \\ln \\theta (each) B. $ ∞".split()),
        max_size=6,
    ).map(" ".join)
    | EXPRESSIONS
)
@example("(3, 400)")
@example("3 < 4 , 5")
@example("not\n5 .")
@example(".0A1")
@example("0-A")
@example("0/0")
@example("(A)SQRT(A)")
@example("2\\theta+3=7")
@example("x=2 y=3")
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = normalize_answer(text)
    assert normalize_answer(once) == once


@given(EXPRESSIONS, st.integers(2, 9))
def test_algebra_that_is_the_same_has_one_form(expression: str, number: int) -> None:
    outside, inside = f"({expression} + {number})*{number}", f"{number}*{expression} + {number**2}"
    assume(normal_form(outside) is not None)  # not divided by zero, and not too much of it
    assert same_answer(outside, inside)


@pytest.mark.parametrize(
    "text", ["9**9**9", "(x+y+z)^99", "1/0", "x" * 500, "((((((((((", "sqrt(-1)", "9" * 40 + "+1", "(3^99999999)^0"]
)
def test_what_is_no_algebra_or_too_much_of_it_is_compared_as_words(text: str) -> None:
    assert normal_form(text) is None
    assert same_answer(text, text)


def test_a_number_too_long_to_compute_with_is_none() -> None:
    assert parse_number("1.5e10000000") is None  # half a minute, and all memory, where it is computed
    assert parse_number("9" * 100_000) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("3*4=<<3*4=12>>12 nuts\n12-5=7\n#### 7", "7"),
        ("So it is $\\boxed{\\frac12}$.", "\\frac12"),
        ("The answer is a horse.", "The answer is a horse."),
        (" 7 ", "7"),
        (" ", ""),
    ],
)
def test_of_a_whole_solution_its_end_is_the_answer(text: str, answer: str) -> None:
    assert reference_answer(text) == answer


@given(st.integers(-(10**12), 10**12))
def test_numbers_survive_separators_units_and_signs(number: int) -> None:
    assert same_answer(f"{number:,} apples", str(number))
    assert not same_answer(f"{number:,}", str(number + 1))
