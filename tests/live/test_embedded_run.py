"""``synth run`` on the real embedded model: what happens to the server when things go wrong."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("model_file"), pytest.mark.timeout(600)]

RECIPE = """
name: tiny
models:
  teacher: {provider: embedded, sampling: {temperature: 0.9, max_tokens: 24}, concurrency: 4}
generate:
  - id: lines
    kind: custom
    count: 24
    steps:
      - {as: line, prompt: "Write one short sentence about the number {{ unit.index }}."}
    output:
      messages: [{role: user, content: "Number {{ unit.index }}?"}, {role: assistant, content: "{{ line }}"}]
diversity: off
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


@contextmanager
def running(recipe: Path) -> Iterator[tuple[subprocess.Popen[bytes], psutil.Process]]:
    """A run in the midst of its work, and its model's server."""
    command = [sys.executable, "-m", "synth", "run", str(recipe), "--run-dir", str(recipe.parent / "run")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as run:
        try:
            yield run, _busy_server(run.pid, recipe.parent / "run")
        finally:
            run.kill()


def _busy_server(pid: int, run_dir: Path) -> psutil.Process:
    """The model's server, once the first answers are there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        servers = [process for process in psutil.Process(pid).children(recursive=True) if not process.children()]
        if servers and _answers(run_dir) > 2:
            return servers[0]
        time.sleep(0.05)
    raise AssertionError("the run did not get going")


def _answers(run_dir: Path) -> int:
    """How many answers the run's journal holds."""
    if not (run_dir / "run.sqlite").exists():
        return 0
    with closing(sqlite3.connect(run_dir / "run.sqlite")) as database, suppress(sqlite3.OperationalError):
        return int(database.execute("SELECT count(*) FROM calls").fetchone()[0])
    return 0


def ended(process: psutil.Process, seconds: float) -> bool:
    """Whether the process is gone within ``seconds``."""
    _, alive = psutil.wait_procs([process], timeout=seconds)
    return not alive


def summary(recipe: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((recipe.parent / "run" / "summary.json").read_text())
    return found


def test_a_killed_server_costs_no_example(recipe: Path) -> None:
    with running(recipe) as (run, server):
        server.kill()
        assert run.wait(timeout=100) == 0
    assert summary(recipe)["accepted"] == 24


def test_ctrl_c_ends_the_run_and_its_server_and_a_resume_finishes(recipe: Path) -> None:
    with running(recipe) as (run, server):
        os.kill(run.pid, signal.SIGINT)
        assert run.wait(timeout=10) == 130
        assert ended(server, 2)
    assert summary(recipe)["status"] == "interrupted"
    with running(recipe) as (run, server):
        assert run.wait(timeout=100) == 0
        assert ended(server, 2)
    assert summary(recipe)["accepted"] == 24


def test_the_server_ends_when_the_run_is_killed(recipe: Path) -> None:
    with running(recipe) as (run, server):
        run.kill()
        assert ended(server, 2)
