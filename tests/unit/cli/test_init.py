import json
from pathlib import Path

import pytest

from synth.cli.init import _MODELS, _STARTERS, _Starter
from synth.errors import EXIT_USAGE
from synth.recipe.load import load_recipe
from synth.recipe.load_seeds import seed_needs
from synth.shipped import shipped

from .conftest import Synth


def test_without_anyone_to_ask_it_writes_a_recipe_for_the_embedded_model(synth: Synth) -> None:
    outcome = synth("init", "my set")
    assert (outcome.code, outcome.out) == (0, "")
    assert "synth run 'my set/recipe.yaml'" in outcome.err
    recipe = load_recipe("my set/recipe.yaml").recipe
    assert (recipe.name, recipe.generate[0].kind, recipe.generate[0].count) == ("my-set", "rephrase", 8)
    assert recipe.models["teacher"].provider == "embedded"
    assert synth("validate", "my set/recipe.yaml").code == 0


@pytest.mark.parametrize("starter", [one.name for one in _STARTERS])
@pytest.mark.parametrize("model", list(_MODELS))
def test_every_choice_gives_a_recipe_that_validates_and_plans(
    synth: Synth, monkeypatch: pytest.MonkeyPatch, starter: str, model: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-12345")
    assert synth("init", "x", "--make", starter, "--model", model, "--count", "5").code == 0
    recipe = load_recipe("x/recipe.yaml").recipe
    assert recipe.models["teacher"].provider == model
    assert [spec.count for spec in recipe.generate] == [5]
    plan = json.loads(synth("plan", "x/recipe.yaml", "--json").out)
    assert plan["calls"] >= 5


@pytest.mark.parametrize("starter", [one.name for one in _STARTERS])
def test_the_starters_are_recipes_themselves(starter: str) -> None:
    assert load_recipe(shipped("recipes") / "starters" / f"{starter}.yaml").recipe.name == starter


def test_seeds_of_ones_own_are_taken(synth: Synth) -> None:
    Path("mine.csv").write_text("question,answer\nWhat is 6 * 7?,42\n")
    assert synth("init", "x", "--seeds", "mine.csv").code == 0
    assert Path("x/seeds.csv").read_text() == Path("mine.csv").read_text()
    assert "from 1 seeds" in synth("validate", "x/recipe.yaml").err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--seeds", "notes.txt"], "notes.txt is no file of seeds"),
        (["--make", "tools", "--seeds", "s.jsonl"], "tools takes no seeds"),
        (["--seeds", "gone.jsonl"], "'gone.jsonl' does not exist"),
    ],
)
def test_seeds_that_cannot_be_taken_are_refused(synth: Synth, words: list[str], says: str) -> None:
    Path("notes.txt").write_text("six times seven")
    Path("s.jsonl").write_text('{"question": "What is 6 * 7?"}')
    outcome = synth("init", "x", *words)
    assert (outcome.code, Path("x").exists()) == (EXIT_USAGE, False)
    assert says in outcome.err


def test_what_is_there_is_not_overwritten(synth: Synth) -> None:
    Path("x").mkdir()
    Path("x/recipe.yaml").write_text("mine")
    outcome = synth("init", "x")
    assert outcome.code == EXIT_USAGE
    assert "x/recipe.yaml is there already" in outcome.err
    assert Path("x/recipe.yaml").read_text() == "mine"


def test_someone_who_can_be_asked_is_asked_three_things(synth: Synth, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["4", "vllm", 4])  # the number of "steps", or a name
    monkeypatch.setattr("synth.cli.init._can_ask", lambda: True)
    monkeypatch.setattr("click.prompt", lambda *_, **__: next(answers))
    outcome = synth("init", "x")
    assert outcome.code == 0
    assert "What do you want to make?" in outcome.err
    assert "Which model makes it?" in outcome.err
    recipe = load_recipe("x/recipe.yaml").recipe
    assert (recipe.generate[0].kind, recipe.generate[0].count, recipe.models["teacher"].provider) == (
        "custom",
        4,
        "vllm",
    )


@pytest.mark.parametrize("starter", _STARTERS)
def test_the_fields_of_each_starter_are_those_that_it_needs(starter: _Starter) -> None:
    path = shipped("recipes") / "starters" / f"{starter.name}.yaml"
    assert {need.field for need in seed_needs(load_recipe(path).recipe, path.parent)} == {*starter.fields}


@pytest.mark.parametrize(
    ("make", "columns", "fields"),
    [
        ("wordings", "Question,b", '{question: "Question", answer: "?"}'),
        ("reasoning", "questions,answer", '{question: "questions"}'),
        ("steps", "a,rule", '{topic: "?"}'),
        ("reasoning", "question,b", ""),
    ],
)
def test_columns_of_other_names_are_said_at_once(synth: Synth, make: str, columns: str, fields: str) -> None:
    Path("mine.csv").write_text(f"{columns}\n1?,2\n")
    outcome = synth("init", "x", "--make", make, "--seeds", "mine.csv")
    assert outcome.code == 0
    assert ("fields: " in outcome.err) == bool(fields)
    assert fields in outcome.err
    written = Path("x/recipe.yaml").read_text()
    assert f"\n  fields: {fields}" in written or not fields
    if "?" not in fields:
        assert synth("validate", "x/recipe.yaml").code == 0


def test_seeds_that_cannot_be_read_are_refused(synth: Synth) -> None:
    Path("mine.jsonl").write_text('{"question":')
    outcome = synth("init", "x", "--seeds", "mine.jsonl")
    assert (outcome.code, Path("x").exists()) == (EXIT_USAGE, False)
    assert "mine.jsonl:1:" in outcome.err


def test_the_key_that_an_endpoint_needs_is_named(synth: Synth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert "OPENAI_API_KEY" in synth("init", "x", "--model", "openai").err
    monkeypatch.setenv("OPENAI_API_KEY", "sk-12345")
    assert "OPENAI_API_KEY" not in synth("init", "y", "--model", "openai").err
