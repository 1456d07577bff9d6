"""From a recipe to the file a trainer loads, by the commands a user types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

RECIPE = """\
name: t
models:
  teacher: {provider: scripted}
seeds: {path: seeds.jsonl}
generate:
  - kind: custom
    id: raw
    count: 20
    steps: [{as: draft, prompt: "Say {{ seed.question }} ({{ unit.index }})"}]
    output: {messages: [{role: user, content: "{{ seed.question }}"}, {role: assistant, content: "{{ draft }}"}]}
diversity: "off"
gates: [format, length]
output: {formats: [messages, alpaca, dpo, parquet]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    seeds = [{"question": f"question {number}"} for number in range(10)]
    (tmp_path / "seeds.jsonl").write_bytes(b"".join(orjson.dumps(seed) + b"\n" for seed in seeds))
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


def synth(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "synth", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_a_run_writes_its_formats_and_exports_any_later(folder: Path) -> None:
    assert synth(folder, "run", "r.yaml", "--quiet").returncode == 0
    summary = orjson.loads((folder / "runs/t/summary.json").read_bytes())
    reason = "dpo needs a rejected side, and the row has none"
    assert summary["exports"] == {
        "alpaca": {"written": 20, "left_out": {}},
        "dpo": {"written": 0, "left_out": {reason: 20}},
        "parquet": {"written": 20, "left_out": {}},
    }
    assert reason in (folder / "runs/t/README.md").read_text()

    words = ("export", "runs/t", "--format", "sharegpt", "--to", "out", "--split", "train=0.9,test=0.1")
    done = synth(folder, *words)
    assert (done.returncode, done.stdout) == (0, "")
    assert "18 rows in out/train.jsonl\n2 rows in out/test.jsonl" in done.stderr
    first = (folder / "out/train.jsonl").read_bytes()
    synth(folder, *words)
    assert (folder / "out/train.jsonl").read_bytes() == first

    nothing = synth(folder, "export", "runs/t", "--format", "dpo", "--to", "dpo.jsonl")
    assert nothing.returncode == 2
    assert f"20 rows left out: {reason}" in nothing.stderr
    verified = synth(folder, "verify", "runs/t")
    assert (verified.returncode, verified.stderr) == (0, "runs/t is as its run left it\n")
    dataset = folder / "runs/t/dataset/raw.jsonl"
    lines = dataset.read_bytes().splitlines(keepends=True)
    dataset.write_bytes(b"".join([lines[0].replace(b"question ", b"Question "), *lines[2:]]) + b'{"id": "raw-9"}\n')
    edited = synth(folder, "verify", "runs/t")
    assert edited.returncode == 1
    assert edited.stderr.splitlines() == [
        "runs/t/dataset/raw.jsonl:1: raw-000000 was changed in messages",
        "runs/t/dataset/raw.jsonl:20: raw-9 was added: the run has not made it",
        "runs/t/dataset/raw.jsonl: raw-000001 was removed",
        "runs/t/dataset/raw.jsonl has another SHA-256 than croissant.json says",
    ]
    unknown = synth(folder, "export", "runs/none", "--format", "alpaca", "--to", "x.jsonl")
    assert (unknown.returncode, "is no folder" in unknown.stderr) == (2, True)
