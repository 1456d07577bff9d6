"""`decode` where there are no logits, nobody who writes, or nothing to contrast."""

from __future__ import annotations

import pytest

from tests.unit.recipe.helpers import load, problems

HEAD = """\
name: x
models:
  hosted: {provider: openai, model: m, base_url: 'http://h/v1'}
  here: {provider: transformers, model: m}
  started: {provider: vllm, model: m}
  away: {provider: vllm, model: m, base_url: 'http://h/v1'}
"""
DECODE = "decode: {method: corrsynth}"


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (f"{{kind: cot, count: 1, {DECODE}}}", "'hosted' (provider openai) gives none"),
        (f"{{kind: rephrase, count: 1, agents: {{solver: here}}, {DECODE}}}", "'hosted' (provider openai) gives none"),
        (f"{{kind: 'a:B', count: 1, {DECODE}}}", "'hosted' (provider openai) gives none"),
        (
            "{kind: cot, count: 1, agents: {solver: here}, decode: {method: corrsynth, delta: 2}}",
            "a delta of at most gamma",
        ),
        ("{kind: cot, count: 1, agents: {solver: here}, decode: {method: corrsynth, group: 1}}", "at least 2"),
    ],
)
def test_decoding_that_cannot_be(generator: str, message: str) -> None:
    found = problems(f"{HEAD}seeds: {{path: s.jsonl}}\ngenerate:\n  - {generator}\n")
    assert len(found) == 1
    assert message in found[0]


def test_cross_contrast_without_labels() -> None:
    step = "steps: [{as: a, agent: here, prompt: hi}], output: {messages: [{role: user, content: hi}]}"
    text = f"{HEAD}generate:\n  - {{kind: custom, count: 1, decode: {{method: corrsynth, contrast: cross}}, {step}}}\n"
    assert "the recipe has no axis 'label'" in problems(text)[0]
    load(text.replace("contrast: cross", "contrast: intra"))  # raises where it is refused
    load(text + "axes: {label: [a, b]}\n")  # raises where it is refused


def test_the_writer_alone_needs_logits() -> None:
    text = f"{HEAD}seeds: {{path: s.jsonl}}\ngenerate:\n  - {{kind: rephrase, count: 1, agents: {{rephraser: here}}, "
    assert load(text + DECODE + "}\n").recipe.generate[0].decode is not None


def test_each_of_several_solvers_writes() -> None:
    text = (
        f"{HEAD}seeds: {{path: s.jsonl}}\ngenerate:\n  - {{kind: cot, count: 1, ensemble: {{solvers: [{{model: here}}, "
    )
    assert load(text + f"{{model: away}}]}}, {DECODE}}}\n").recipe.generate[0].decode is not None
    (found,) = problems(text + f"{{model: hosted}}]}}, {DECODE}}}\n")
    assert "'hosted' (provider openai) gives none" in found


@pytest.mark.parametrize("model", ["started", "away"])
def test_vllm_has_logits(model: str) -> None:
    text = f"{HEAD}seeds: {{path: s.jsonl}}\ngenerate:\n  - {{kind: cot, count: 1, agents: {{solver: {model}}}, "
    assert load(text + DECODE + "}\n").recipe.generate[0].decode is not None
