"""The published JSON Schema says what the models say."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from synth.recipe.json_schema import json_schema
from synth.recipe.kinds.union import KINDS
from synth.recipe.schema import Recipe
from synth.recipe.yaml import parse_yaml

RECIPE = """\
name: support-desk
seed: 17
models:
  teacher:
    provider: vllm
    model: Qwen/Qwen3-8B
    sampling: {temperature: 0.9, top_p: 0.95, max_tokens: 1024}
  critic:
    provider: openai
    base_url: http://127.0.0.1:8000/v1
    model: some-model
    limits: {rpm: 500, tpm: 200000}
    price: {input: 0.15, output: 0.60}
seeds: {path: seeds.jsonl, fields: {question: q, answer: a}, limit: 100}
generate:
  - {id: wording, kind: rephrase, count: 200}
  - {id: maths, kind: cot, count: 300, agents: {solver: {model: critic}}, ensemble: {samples: 5, vote: 0.6}}
  - {kind: "my.module:Maker", count: 1, options: {anything: [1]}}
  - id: raw
    kind: custom
    count: 100
    steps:
      - {as: draft, agent: teacher, prompt: "Rewrite this: {{ seed.question }}"}
      - {as: verdict, agent: critic, prompt: judge, schema: {type: object, required: [ok]}}
    accept: "{{ verdict.ok }}"
    output:
      messages: [{role: user, content: "{{ seed.question }}"}, {role: assistant, content: "{{ draft }}"}]
axes: {mood: [calm, 1, 1.5, true]}
diversity: off
gates: [refusal, {gate: length, max_words: 200}, {gate: "my.gates:Tone", options: {x: 1}}, "my.gates:Brief"]
budget: {usd: 5.0, tokens: 2000000, minutes: 60, attempts: 5}
output: {formats: [messages]}
"""


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def data() -> dict[str, Any]:
    return parse_yaml(RECIPE).data


def test_a_whole_recipe_is_valid(validator: Draft202012Validator) -> None:
    Recipe.model_validate(data())
    assert [error.message for error in validator.iter_errors(data())] == []


def test_variables_may_stand_for_any_value(validator: Draft202012Validator) -> None:
    recipe = data()
    recipe["generate"][0]["count"] = "${COUNT:-5}"
    recipe["models"]["critic"]["base_url"] = "${URL}"
    recipe["models"]["critic"]["provider"] = "${PROVIDER}"
    assert [error.message for error in validator.iter_errors(recipe)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["name"], "../x"),
        (["name"], 5),
        (["seed"], -1),
        (["nme"], "x"),
        (["models"], {}),
        (["models"], {"a b": {"provider": "scripted"}}),
        (["models", "critic", "provider"], "opnai"),
        (["models", "critic", "base_url"], "localhost"),
        (["models", "critic", "sampling"], {"temprature": 1}),
        (["generate"], []),
        (["generate", 0, "count"], 0),
        (["generate", 0, "count"], "many"),
        (["generate", 0, "count"], True),
        (["generate", 0, "kind"], "rephase"),
        (["generate", 1, "ensemble", "vote"], 1.5),
        (["generate", 1, "agents", "solver"], 3),
        (["generate", 3, "steps"], []),
        (["generate", 3, "steps", 0, "as"], "1a"),
        (["generate", 3, "output", "messages", 0, "role"], "tool"),
        (["axes", "mood"], [[1]]),
        (["diversity"], "on"),
        (["gates"], [3]),
        (["gates"], ["lenght"]),
        (["gates"], ["decontaminate"]),
        (["gates"], [{"gate": "length", "max_word": 3}]),
        (["gates"], [{"gate": "repetition", "ngram": 0}]),
        (["budget"], None),
        (["output", "formats"], ["pdf"]),
    ],
)
def test_it_rejects_what_the_models_reject(validator: Draft202012Validator, path: list[Any], value: Any) -> None:
    recipe = data()
    place: Any = recipe
    for part in path[:-1]:
        place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
    place[path[-1]] = value
    assert not validator.is_valid(recipe)
    with pytest.raises(ValidationError):
        Recipe.model_validate(recipe)


def test_every_field_is_described(validator: Draft202012Validator) -> None:
    definitions = {**json_schema()["$defs"], "Recipe": json_schema()}
    bare = [
        f"{owner}.{name}"
        for owner, schema in definitions.items()
        for name, field in schema.get("properties", {}).items()
        if "description" not in field
    ]
    assert bare == []


def test_every_kind_is_in_it() -> None:
    kinds = {
        schema["properties"]["kind"].get("const")
        for schema in json_schema()["$defs"].values()
        if "kind" in schema.get("properties", {})
    }
    assert kinds == {*KINDS, None}
