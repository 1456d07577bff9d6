"""``mix``: a total divided among generators."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.recipe.load import load_recipe
from synth.recipe.mix import auto_weights, calls_of, divide
from tests.unit.recipe.helpers import problems

HEAD = """\
name: x
models: {m: {provider: scripted}}
seeds: {path: s.jsonl}
"""
ANSWER, REPHRASE, QUESTION = ({"kind": kind} for kind in ("answer", "rephrase", "question"))


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=12), st.integers(0, 5000))
def test_the_counts_are_the_total_and_nobody_gets_nothing(weights: list[float], more: int) -> None:
    total = len(weights) + more
    counts = divide(total, weights)
    assert sum(counts) == total
    assert min(counts) >= 1
    if min(total * weight / sum(weights) for weight in weights) >= 1:
        assert all(
            abs(count - total * weight / sum(weights)) < 1 for count, weight in zip(counts, weights, strict=True)
        )


def test_few_calls_a_seed_favour_answers_and_many_new_questions() -> None:
    few = divide(100, auto_weights([ANSWER, REPHRASE, QUESTION], 100, 100))
    many = divide(100, auto_weights([ANSWER, REPHRASE, QUESTION], 10_000, 100))
    assert few == [66, 25, 9]
    assert many == [5, 20, 75]


def test_answers_and_questions_weigh_the_same_at_thirty_calls_a_seed() -> None:
    calls = (calls_of(ANSWER) + calls_of(QUESTION)) / 2
    assert calls == pytest.approx(4.5)
    answers, questions = auto_weights([ANSWER, QUESTION], 200, 30)
    assert answers == pytest.approx(questions)


def test_generators_of_one_sort_share_its_weight() -> None:
    answer, one, other = auto_weights([ANSWER, QUESTION, {"kind": "evolve"}], 100, 10)
    assert one == other
    assert answer < one + other


def counts(tmp_path: Path, generate: str, *overrides: str, count: int | None = None) -> list[int]:
    (tmp_path / "s.jsonl").write_text('{"question": "q", "answer": "1"}\n' * 20)
    (tmp_path / "r.yaml").write_text(HEAD + generate)
    return [spec.count for spec in load_recipe(tmp_path / "r.yaml", overrides=overrides, count=count).recipe.generate]


def test_the_total_goes_to_those_without_a_count(tmp_path: Path) -> None:
    mix = "mix: {total: 60}\ngenerate: [{kind: answer}, {kind: question}, {kind: cot, count: 7}]\n"
    answers, questions, fixed = counts(tmp_path, mix)
    assert answers + questions == 60
    assert answers > questions
    assert fixed == 7
    answers, questions, _ = counts(tmp_path, mix, "mix.total=900")
    assert answers + questions == 900
    assert answers < questions


def test_shares_of_ones_own(tmp_path: Path) -> None:
    mix = "mix: {total: 40, shares: {a: 3, b: 1}}\ngenerate: [{id: a, kind: answer}, {id: b, kind: question}]\n"
    assert counts(tmp_path, mix) == [30, 10]


def test_counts_from_the_command_line_come_first(tmp_path: Path) -> None:
    mix = "mix: {total: 60}\ngenerate: [{kind: answer}, {kind: question}]\n"
    assert counts(tmp_path, mix, count=3) == [3, 3]
    assert counts(tmp_path, mix, "generate.0.count=5") == [5, 60]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mix: auto\ngenerate: [{kind: answer}]\n",
         "4:6: 'mix' says how many examples in all: {total: 300}, with 'shares: auto' unless given, got 'auto'"),
        ("mix: {shares: auto}\ngenerate: [{kind: answer}]\n",
         "4:6: 'total' is missing in mix (total: Examples in all, for the generators without a `count`.)"),
        ("mix: {total: 0}\ngenerate: [{kind: answer}]\n", "4:14: 'total' must be at least 1, got 0"),
        ("mix: {total: 900000000}\ngenerate: [{kind: answer}, {kind: question}]\n",
         "4:14: 'total' must be at most 100000000, got 900000000"),
        ("mix: {total: 1}\ngenerate: [{kind: answer}, {kind: question}]\n",
         "4:14: 1 cannot be divided among 2 generators: each makes one at least"),
        ("mix: {total: 5}\ngenerate: [{kind: answer, count: 1}]\n",
         "4:1: 'mix' has nothing to divide: every generator has a 'count' "
         "(leave out the counts that it should choose)"),
        ("mix: {total: 5}\ngenerate: [{kind: answer}, {kind: classify}]\n",
         "5:28: 'shares: auto' does not know what kind classify does with a seed "
         "(give it a count, or give mix shares: {classify: 1, …})"),
        ("mix: {total: 5, shares: {answr: 1}}\ngenerate: [{kind: answer}]\n",
         "4:26: 'mix' has no generator 'answr' to give a share to (did you mean 'answer'?)"),
        ("mix: {total: 5, shares: {answer: 0}}\ngenerate: [{kind: answer}]\n",
         "4:34: 'answer' must be more than 0, got 0"),
        ("generate: [{kind: answer}]\n", "4:12: 'count' is missing in generate.0"),
    ],
)  # fmt: skip
def test_a_mix_that_cannot_be_made(text: str, expected: str) -> None:
    assert any(found.startswith(f"r.yaml:{expected}") for found in problems(HEAD + text)), problems(HEAD + text)
