"""Commands as a user types them, in this process, in a folder of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from synth.cli.main import main


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


Synth = Callable[..., Outcome]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def synth(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Synth:
    def run(*words: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["synth", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, said.out, said.err)

    return run


RECIPE = """\
name: t
models:
  teacher: {provider: scripted}
seeds: {path: seeds.jsonl}
generate:
  - kind: custom
    id: raw
    count: 3
    steps: [{as: draft, prompt: "Say {{ seed.question }} ({{ unit.index }})"}]
    output: {messages: [{role: user, content: "{{ seed.question }}"}, {role: assistant, content: "{{ draft }}"}]}
diversity: "off"
"""


@pytest.fixture
def recipe(folder: Path) -> Path:
    """A recipe that runs on the scripted model, in the working directory."""
    (folder / "seeds.jsonl").write_text('{"question": "one"}\n{"question": "two"}\n')
    path = Path("recipe.yaml")
    path.write_text(RECIPE)
    return path
