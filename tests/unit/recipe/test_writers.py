from __future__ import annotations

from synth.recipe.writers import decoding_models
from tests.unit.recipe.helpers import load

TEXT = """\
name: x
models:
  first: {provider: transformers, model: m}
  second: {provider: vllm, model: m}
  third: {provider: vllm, model: m}
seeds: {path: s.jsonl}
generate:
  - {kind: cot, count: 1, agents: {solver: third}}
  - {kind: rephrase, count: 1, agents: {rephraser: {model: second}}, decode: {method: corrsynth}}
"""


def test_only_models_that_write_for_a_decoding_generator_decode() -> None:
    assert decoding_models(load(TEXT).recipe) == {"second"}


def test_an_uncast_writer_is_played_by_the_first_model() -> None:
    assert decoding_models(load(TEXT.replace("rephraser:", "solver:")).recipe) == {"first"}
