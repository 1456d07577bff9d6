"""``seeds.clean``: what becomes of the seeds, and that all of it is told."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from synth.errors import RecipeError
from synth.events import Event, Warned
from synth.job import run
from synth.prepared import prepare
from synth.recipe.load import load_recipe

RECIPE = """\
name: t
models:
  teacher: {provider: scripted}
seeds:
  path: seeds.jsonl
  fields: {question: q}
  clean: CLEAN
generate:
  - kind: rephrase
    count: 1
    agents: {writer: teacher}
diversity: "off"
"""
SEEDS = [
    {"id": "a", "q": "<p>How many  apples does Tom have if he buys 3 and eats 1?</p>", "answer": "2"},
    {"id": "b", "q": "How many apples does Tom have if he buys 3 and eats 1?", "answer": "2"},
    {"id": "c", "q": "Combien de pommes a Tom quand il en achète 3 et en mange 1 ?", "answer": "2"},
    {"id": "d", "q": "<br>", "answer": "2"},
    {"id": "e", "q": "A train needs 2 hours for 100 miles. How fast is it?", "answer": "50"},
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("seeds.jsonl").write_bytes(b"".join(orjson.dumps(seed) + b"\n" for seed in SEEDS))


def recipe(clean: str) -> Path:
    Path("r.yaml").write_text(RECIPE.replace("CLEAN", clean).replace("agents: {writer: teacher}", ""))
    return Path("r.yaml")


def test_seeds_keep_their_ids_and_every_one_left_out_is_named() -> None:
    prepared = prepare(load_recipe(recipe("{languages: [en], dedup: 0.7}")))
    assert [seed.id for seed in prepared.seeds] == ["a", "e"]
    assert prepared.seeds[0].fields["question"] == "How many apples does Tom have if he buys 3 and eats 1?"
    cleaned = prepared.cleaned
    assert cleaned is not None
    assert cleaned.dropped == (
        ("b", 2, "near-duplicate"),
        ("c", 3, "in the language 'fr'"),
        ("d", 4, "nothing left in 'question'"),
    )
    assert str(cleaned).startswith("3 of 5 seeds dropped (1 near-duplicate, 1 in the language 'fr', 1 nothing left")
    assert cleaned.tally.examples["space"][0].line == 1


def test_a_run_says_it_and_its_summary_holds_it() -> None:
    heard: list[Event] = []
    result = run(load_recipe(recipe("{languages: [en]}")), listener=heard.append)
    assert result.summary["seeds"]["dropped"] == {"in the language 'fr'": 1, "nothing left in 'question'": 1}
    assert result.summary["seeds"]["dropped_seeds"][0] == {"id": "c", "line": 3, "reason": "in the language 'fr'"}
    assert any("2 of 5 seeds dropped" in event.message for event in heard if isinstance(event, Warned))


@pytest.mark.parametrize(
    ("clean", "problem"),
    [
        ("{min_words: 50, fields: [question]}", "seeds.jsonl: seeds.clean drops every seed: 5 fewer than 50 words"),
        ("{fields: [qestion]}", "seeds.jsonl: no seed has the field 'qestion' of seeds.clean.fields"),
        ("{languges: [en]}", "r.yaml:7:11: unknown key 'languges' in seeds.clean"),
        ("{decontaminate: {files: [b.jsonl]}}", "r.yaml:7:35: benchmark file: there is no file 'b.jsonl'"),
    ],
)
def test_what_cannot_be_is_said(clean: str, problem: str) -> None:
    with pytest.raises(RecipeError) as caught:
        prepare(load_recipe(recipe(clean)))
    assert str(caught.value.problems[0]) == problem
