"""The real command line, in processes of its own, on scripted models."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

RECIPE = """\
name: t
models:
  teacher: {provider: scripted, answers: answers.yaml, concurrency: 4}
seeds: {path: seeds.jsonl}
generate:
  - kind: custom
    id: raw
    count: 40
    steps:
      - {as: draft, prompt: "Say {{ seed.question }} ({{ unit.index }})"}
      - {as: verdict, prompt: "Judge {{ unit.index }}: {{ draft }}", schema: {type: object}}
    accept: "{{ unit.index % 4 }}"
    output: {messages: [{role: user, content: "{{ seed.question }}"}, {role: assistant, content: "{{ draft }}"}]}
diversity: "off"
"""
SEEDS = "".join(f'{{"id": "s{number}", "question": "Question {number}?"}}\n' for number in range(1, 8))
ANSWERS = """\
- {match: '^Judge', json: {ok: true}, delay: 0.01}
- {match: 'Say (.*)', answer: ['As you say: \\1', 'Indeed, \\1', 'Well: \\1'], delay: 0.01}
"""


class Folder:
    """A working directory with a recipe in it, and the command line that works there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("recipe.yaml", RECIPE)
        self.write("seeds.jsonl", SEEDS)
        self.write("answers.yaml", ANSWERS)

    def write(self, name: str, content: str | bytes) -> None:
        self.path.joinpath(name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace ``old``, which must be there."""
        text = self.path.joinpath(name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def synth(self, *words: str, preexec: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(words),
            cwd=self.path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            preexec_fn=preexec,
        )

    @contextmanager
    def start(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A command at work; killed at the end of the context if it has not ended by then."""
        process = subprocess.Popen(
            command_line(words),
            cwd=self.path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_mind_signals,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def read(self, name: str) -> str:
        return self.path.joinpath(name).read_text()

    def wait_for_calls(self, count: int, run: str = "runs/t") -> None:
        """Return when the journal of a run at work holds so many calls."""
        log = self.path / run / "run.sqlite"
        for _ in range(6000):
            if log.exists() and _count_calls(log) >= count:
                return
            time.sleep(0.005)
        raise AssertionError(f"{log} never held {count} calls")


def _count_calls(path: Path) -> int:
    import sqlite3

    try:
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            return int(db.execute("SELECT COUNT(*) FROM calls").fetchone()[0])
        finally:
            db.close()
    except sqlite3.OperationalError:  # it is just being made
        return 0


def command_line(words: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "synth", *words]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    root = str(Path(__file__).resolve().parents[3])
    return kept | {"PYTHONPATH": os.pathsep.join([root, kept.get("PYTHONPATH", "")]).rstrip(os.pathsep)}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def _mind_signals() -> None:
    """Whoever runs the tests may ignore these (``nohup``, a background job), and a child would inherit that."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
