"""The main job on the real model, as a newcomer runs it, with its server killed on the way."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from synth.generators.answers import same_answer
from synth.generators.arithmetic import wrong_equations
from synth.shipped import shipped

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]


def calls_so_far(store: Path) -> int:
    if not store.exists():
        return 0
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        try:
            count: int = connection.execute("SELECT COUNT(*) FROM calls").fetchone()[0]
        except sqlite3.OperationalError:  # the table is not there yet
            return 0
        return count


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def kill_model_server(run: psutil.Process) -> int:
    servers = [child for child in run.children(recursive=True) if "synth.models.embedded.server" in child.cmdline()]
    for server in servers:
        server.kill()
    return len(servers)


def test_the_quickstart_survives_the_death_of_its_model(tmp_path: Path) -> None:
    recipe = shipped("recipes") / "quickstart.yaml"
    command = [sys.executable, "-m", "synth", "run", str(recipe), "--run-dir", str(tmp_path / "run"), "--count", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        killed = 0
        while process.poll() is None and not killed:
            if calls_so_far(tmp_path / "run" / "run.sqlite") >= 5:
                killed = kill_model_server(psutil.Process(process.pid))
            time.sleep(0.05)
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert killed >= 1
    assert out == ""

    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["status"], summary["requested"], summary["accepted"]) == ("complete", 6, 6)
    seeds = {seed["id"]: seed for seed in read_lines(recipe.parent / "quickstart-seeds.jsonl")}
    for generator in ("wording", "maths"):
        rows = read_lines(tmp_path / "run" / "dataset" / f"{generator}.jsonl")
        assert len(rows) == 3
        for row in rows:
            user, assistant = row["messages"]
            seed = seeds[row["seed_id"]]
            assert same_answer(row["answer"], seed["answer"])
            assert wrong_equations(assistant["content"]) == []
            assert (user["content"] == seed["question"]) == (generator == "maths")
            assert row["lineage"]["calls"]
            assert row["lineage"]["models"] == {"teacher": "qwen2.5-coder-0.5b"}
    assert summary["calls"]["sent"] >= summary["generators"]["maths"]["attempts"] * 3
