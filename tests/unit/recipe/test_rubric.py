"""Rubric files: the shipped ones, and what is wrong with one of the user's own."""

from pathlib import Path

import pytest

from synth.errors import RecipeError, UsageError
from synth.recipe.rubric import load_rubric, shipped_rubrics


@pytest.mark.parametrize("name", shipped_rubrics())
def test_every_shipped_rubric_can_be_used(name: str) -> None:
    rubric = load_rubric(name, Path())
    assert rubric.name == f"rubrics/{name}"
    for criterion in rubric.criteria.values():
        assert criterion.asks.endswith("?")
        assert [criterion.score(level) for level in criterion.scale][:: len(criterion.scale) - 1] == [0, 1]


def test_a_name_that_is_no_rubric() -> None:
    with pytest.raises(UsageError, match="there is no rubric 'helpfullness'") as caught:
        load_rubric("helpfullness", Path())
    assert caught.value.hint == "did you mean 'helpfulness'?; a file of your own ends in .yaml"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("criteria: {a: {asks: b, scale: {x: y, z: w}}}", "1:1: 'about' is missing"),
        ("about: a\ncriteria: {}", "2:11: 'criteria' must have at least 1 entry, got a mapping"),
        ("about: a\ncriteria: {a: {asks: b?, scale: {x: y}}}",
         "2:33: 'scale' must have at least 2 entries, got a mapping"),
        ("about: a\ncriteria: {a: {ask: b?, scale: {x: y, z: w}}}", "2:16: unknown key 'ask' in criteria.a"),
        ("about: a\ncriteria: {a-b: {asks: b?, scale: {x: y, z: w}}}", "2:12: 'a-b' must be a name that templates"),
        ("about: a\ncriteria: {a: {asks: b?, scale: [1, 5]}}", "2:33: 'scale' must be a mapping"),
        ("about: a\ncriteria: {a: {asks: b?, weight: 0, scale: {x: y, z: w}}}",
         "2:34: 'weight' must be more than 0.0, got 0"),
        ("about: [a", "2:1: a ',' or ']' is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(RecipeError) as caught:
        load_rubric("r.yaml", tmp_path)
    assert f"{tmp_path / 'r.yaml'}:{problem}" in str(caught.value)
