"""Every mistake in a recipe is named where it stands, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import RecipeError, UsageError
from synth.recipe.load import LoadedRecipe, load_recipe

GOOD = """\
name: x
models:
  m: {provider: scripted, answers: a.yaml}
generate:
  - kind: rephrase
    count: 5
  - id: maths
    kind: cot
    count: 7
"""


def load(text: str, *overrides: str, count: int | None = None) -> LoadedRecipe:
    path = Path("r.yaml")
    path.write_text(text, encoding="utf-8")
    return load_recipe(path, overrides=overrides, count=count)


def problems(text: str, *overrides: str, count: int | None = None) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load(text, *overrides, count=count)
    return [f"{found} ({found.hint})" if found.hint else str(found) for found in caught.value.problems]


def test_a_good_recipe_loads_with_ids_filled_in() -> None:
    loaded = load(GOOD)
    assert [(one.id, one.kind, one.count) for one in loaded.recipe.generate] == [
        ("rephrase", "rephrase", 5),
        ("maths", "cot", 7),
    ]
    assert loaded.base == Path()


def test_all_problems_come_at_once_in_the_order_of_their_position() -> None:
    text = """\
name: x
models:
  m: {provider: opnai, model: 5, sampling: {temprature: 1}}
generate:
  - kind: rephase
  - kind: cot
    count: 0
    agents: {solver: 3}
  - cuont: 5
    kind: rephrase
budget:
"""
    assert problems(text) == [
        "r.yaml:3:17: 'provider' must be 'embedded', 'openai', 'vllm', 'transformers' or 'scripted', got 'opnai'"
        " (did you mean 'openai'?)",
        "r.yaml:3:31: 'model' must be text, got 5 (put it in quotes)",
        "r.yaml:3:45: unknown key 'temprature' in models.m.sampling (did you mean 'temperature'?)",
        "r.yaml:5:11: unknown kind 'rephase' (did you mean 'rephrase'?)",
        "r.yaml:7:12: 'count' must be at least 1, got 0",
        "r.yaml:8:22: 'solver' must be the name of a model, or {model: name, sampling: {…}}, got 3",
        "r.yaml:9:5: 'count' is missing in generate.2 (count: Accepted examples to make, exactly.)",
        "r.yaml:9:5: unknown key 'cuont' in generate.2 (did you mean 'count'?)",
        "r.yaml:11:8: 'budget' must be a mapping (key: value), got nothing (remove the line to have the default)",
    ]


def test_overrides_name_generators_by_index_or_id() -> None:
    loaded = load(GOOD, "generate.0.count=3", "generate.maths.ensemble.samples=9", "seed=4")
    assert [one.count for one in loaded.recipe.generate] == [3, 7]
    assert loaded.recipe.generate[1].model_dump()["ensemble"]["samples"] == 9
    assert loaded.recipe.seed == 4
    assert [one.count for one in load(GOOD, count=2).recipe.generate] == [2, 2]


def test_a_bad_override_is_named_by_its_own_words() -> None:
    assert problems(GOOD, "generate.0.count=x") == ["--set generate.0.count=x: 'count' must be a whole number, got 'x'"]
    assert problems(GOOD, count=0)[0] == "--count 0: 'count' must be at least 1, got 0"
    with pytest.raises(UsageError) as caught:
        load(GOOD, "generate.math.count=3")
    assert (caught.value.message, caught.value.hint) == (
        "--set generate.math.count=3: 'generate' has no 'math'",
        "did you mean 'maths'?",
    )


def test_the_environment_is_read_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sk-1")
    text = GOOD.replace(
        "{provider: scripted, answers: a.yaml}", "{provider: openai, model: '${NOPE:-m}', api_key: '${KEY}'}"
    )
    loaded = load(text)
    model = loaded.recipe.models["m"]
    assert (model.model, model.api_key) == ("m", "sk-1")
    assert loaded.secrets == ("sk-1",)
    assert loaded.references == {("models", "m", "api_key"): "${KEY}", ("models", "m", "model"): "${NOPE:-m}"}
    assert problems(text.replace("KEY", "NOPE"))[0].startswith(
        "r.yaml:3:55: the environment variable NOPE is not set (set it,"
    )
