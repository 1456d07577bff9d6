"""How close is too close, as a recipe says it."""

from __future__ import annotations

import pytest

from synth.recipe.diversity import DiversitySpec
from tests.unit.recipe.helpers import load, problems

RECIPE = """\
name: x
models: {m: {provider: scripted}}
generate: [{kind: 'a:B', count: 1}]
diversity: {max_similarity: SIMILARITY}
"""


@pytest.mark.parametrize("similarity", ["0", "-0.1", "1.01", "true", "often", ".nan"])
def test_similarities_that_cannot_be(similarity: str) -> None:
    found = problems(RECIPE.replace("SIMILARITY", similarity))
    assert len(found) == 1
    assert ":4:13: " in found[0] or ":4:29: " in found[0]


@pytest.mark.parametrize(("similarity", "expected"), [("0.01", 0.01), ("1", 1.0), ("auto", "auto")])
def test_similarities_that_can_be(similarity: str, expected: float | str) -> None:
    diversity = load(RECIPE.replace("SIMILARITY", similarity)).recipe.diversity
    assert isinstance(diversity, DiversitySpec)
    assert diversity.max_similarity == expected


def test_what_compares_meanings_needs_an_embedder() -> None:
    for name, value in (("max_similarity", "0.8"), ("teacher_echo", "true")):
        (found,) = problems(RECIPE.replace("max_similarity: SIMILARITY", f"embedder: off, {name}: {value}"))
        assert f"must have an embedder for {name}: 'off' compares wordings only" in found
    load(RECIPE.replace("max_similarity: SIMILARITY", "embedder: off, max_overlap: 0.5"))
