"""A whole run on a real vLLM that is killed on the way."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from synth.shipped import shipped
from tests.live.vllm.processes import still_alive

PYTHON, MODEL = os.environ.get("SYNTH_VLLM_PYTHON", ""), os.environ.get("SYNTH_VLLM_MODEL", "")
pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

RECIPE = """
name: on-vllm
seed: 3
models:
  teacher:
    provider: vllm
    model: {model}
    python: {python}
    args: [--enforce-eager]
    env: {{VLLM_CPU_KVCACHE_SPACE: "1"}}
    context_length: 2048
    concurrency: 16
seeds: {{path: {seeds}}}
generate:
  - {{id: maths, kind: cot, count: 12, ensemble: {{samples: 3}}}}
budget: {{attempts: 20}}
"""


def test_a_run_ends_complete_though_its_server_dies_twice(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    seeds = shipped("recipes") / "quickstart-seeds.jsonl"
    recipe.write_text(RECIPE.format(model=MODEL, python=PYTHON, seeds=seeds))
    command = [sys.executable, "-m", "synth", "run", str(recipe), "--run-dir", str(tmp_path / "run")]
    seen: set[psutil.Process] = set()
    deaths = [("EngineCore", 6), ("", 20)]  # what is killed, after how many calls: first the engine, then all there is
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None:
            seen.update(psutil.Process(run.pid).children(recursive=True))
            if deaths and _calls(tmp_path / "run" / "run.sqlite") >= deaths[0][1]:
                name, _ = deaths.pop(0)
                victims = [process for process in seen if process.is_running() and name in _command_line(process)]
                assert victims
                for process in victims:
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
            time.sleep(0.05)
        out, err = run.communicate()
    assert deaths == []
    assert run.returncode == 0, err
    assert out == ""
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["status"], summary["accepted"]) == ("complete", 12)
    assert len((tmp_path / "run" / "dataset" / "maths.jsonl").read_text().splitlines()) == 12
    assert summary["calls"]["failed"] == 0
    assert summary["calls"]["retried"] > 0
    assert still_alive(seen) == []


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _calls(store: Path) -> int:
    if not store.exists():
        return 0
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        try:
            count: int = connection.execute("SELECT COUNT(*) FROM calls").fetchone()[0]
        except sqlite3.OperationalError:  # the table is not there yet
            return 0
        return count
