"""Conversations with tools under ``kill -9``: resumed in the middle, and nothing that was answered is asked again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import yaml

from tests.cast import Cast, CountingServer, write_prompts

LIBRARY = Path(__file__).parents[1] / "unit" / "environments" / "library"


def start(folder: Path, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "synth", "run", str(folder / "recipe.yaml"), "--run-dir", str(folder / name)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ)


def test_a_run_that_is_killed_in_the_middle_of_conversations_asks_nothing_twice(tmp_path: Path) -> None:
    with CountingServer(Cast([("find_books", {"text": "sea"})]), latency=0.03) as server:
        recipe = {
            "name": "killed",
            "models": {"m": {"provider": "openai", "model": "m", "base_url": server.url, "concurrency": 4}},
            "generate": [
                {"kind": "tool_use", "environment": str(LIBRARY), "count": 8, "prompts": write_prompts(tmp_path)}
            ],
            "diversity": "off",
            "gates": [],
        }
        recipe["models"]["m"]["send_seed"] = True  # type: ignore[index]
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
        killed = start(tmp_path, "run")
        while server.received.total() < 30:
            assert killed.poll() is None
            time.sleep(0.002)
        killed.kill()
        killed.wait()
        time.sleep(0.2)  # what had arrived is answered by now, to nobody
        with closing(sqlite3.connect(tmp_path / "run" / "run.sqlite")) as store:
            (journaled,) = store.execute("SELECT COUNT(*) FROM calls").fetchone()
        lost = len(server.received) - journaled
        assert start(tmp_path, "run").wait() == 0
        sent_again = server.received.total() - len(server.received)
        assert sent_again <= lost <= 8
        assert start(tmp_path, "undisturbed").wait() == 0
    first, second = (tmp_path / name / "dataset" / "tool_use.jsonl" for name in ("run", "undisturbed"))
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes().splitlines()) == 8
