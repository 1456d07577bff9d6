"""Whole runs through a local Batch API: complete, killed and resumed, interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from synth import RunResult, load_recipe, run
from synth.models.batch import endpoint
from tests.batch_server import BatchServer

COUNT = 30


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "QUIET_SECONDS", 0.6)
    monkeypatch.setattr(endpoint, "FIRST_POLL_SECONDS", 0.05)


def write_recipe(folder: Path, url: str) -> Path:
    steps = [
        {"as": "question", "prompt": "Ask {{ unit.index }}."},
        {"as": "answer", "prompt": "Answer {{ question }}", "schema": {"type": "object"}},
    ]
    recipe = {
        "name": "r",
        "models": {"m": {"provider": "openai", "model": "m", "base_url": url, "batch": True}},
        "generate": [
            {
                "kind": "custom",
                "count": COUNT,
                "steps": steps,
                "output": {"messages": [{"role": "assistant", "content": "{{ question }} {{ answer }}"}]},
            }
        ],
        "diversity": "off",
    }
    path = folder / "recipe.json"
    path.write_bytes(orjson.dumps(recipe))
    return path


def answer(body: dict[str, object]) -> str:
    return '{"ok": true}' if "response_format" in body else "What?"


def make(path: Path) -> RunResult:
    return run(load_recipe(path), run_dir=path.parent / "run")


@contextmanager
def started(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "synth", "run", str(path), "--run-dir", str(path.parent / "run"), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def until_handed_in(server: BatchServer, ledger: Path) -> None:
    deadline = time.monotonic() + 60
    while not (server.batches and ledger.exists()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_takes_a_batch_for_each_step(tmp_path: Path) -> None:
    with BatchServer(answer=answer, plan=["expire"]) as server:
        result = make(write_recipe(tmp_path, server.url))
        assert server.counts["requests"] == 0
        sizes = [len(batch.requests) for batch in server.batches]
    assert result.ending.status == "complete"
    assert result.summary["accepted"] == COUNT
    assert result.summary["calls"]["sent"] == 2 * COUNT
    assert sum(sizes) == 2 * COUNT + COUNT // 2  # what expired went out twice
    assert len(sizes) <= 4


def test_a_killed_run_finds_what_its_batch_answered(tmp_path: Path) -> None:
    with BatchServer(answer=answer, plan=["hold"]) as server:
        path = write_recipe(tmp_path, server.url)
        with started(path) as process:
            until_handed_in(server, tmp_path / "run" / "batches" / "m.jsonl")
            process.kill()
            process.wait()
        server.held.set()
        result = make(path)
        sizes = [len(batch.requests) for batch in server.batches]
    assert result.ending.status == "complete"
    assert sizes == [COUNT, COUNT]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interrupted_run_cancels_its_batch_and_keeps_what_it_answered(tmp_path: Path) -> None:
    with BatchServer(answer=answer, plan=["hold"]) as server:
        path = write_recipe(tmp_path, server.url)
        with started(path) as process:
            until_handed_in(server, tmp_path / "run" / "batches" / "m.jsonl")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        assert server.batches[0].status == "cancelling"
        result = make(path)
        sizes = [len(batch.requests) for batch in server.batches]
    assert result.ending.status == "complete"
    assert sum(sizes) == COUNT + COUNT // 2 + COUNT
