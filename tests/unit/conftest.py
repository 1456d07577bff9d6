"""For tests that look at a run: two generators, some attempts rejected, some with markup in what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.job import run
from synth.recipe.load import load_recipe

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>"

RECIPE = """\
name: looked-at
models:
  m: {provider: scripted, answers: answers.yaml}
seeds: {path: seeds.jsonl}
axes: {mood: [calm, angry], channel: [chat, email]}
generate:
  - kind: custom
    id: raw
    count: 12
    steps: [{as: draft, prompt: "Say {{ seed.question }} ({{ unit.index }})"}]
    accept: "{{ unit.index % 4 }}"
    output: {messages: [{role: user, content: "{{ seed.question }}"}, {role: assistant, content: "{{ draft }}"}]}
  - kind: custom
    id: other
    count: 4
    steps: [{as: draft, prompt: "Say {{ unit.index }} again"}]
    output:
      messages:
        - {role: user, content: "Märchen 漢字 {{ unit.index }} <svg onload=alert(1)>"}
        - {role: assistant, content: "{{ draft }}"}
diversity: "off"
"""


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by all tests that only look."""
    folder = tmp_path_factory.mktemp("view")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    seeds = [f'{{"id": "s{n}", "question": "What are {n} apples and a wombat?"}}\n' for n in range(4)]
    (folder / "seeds.jsonl").write_text("".join(seeds) + f'{{"id": "<b>", "question": "{HOSTILE}"}}\n')
    (folder / "answers.yaml").write_text("- {match: 'Say (.*)', answer: 'As you say: \\1'}\n")
    assert run(load_recipe(folder / "recipe.yaml"), run_dir=folder / "run").ending.status == "complete"
    return folder / "run"
