"""What `synth verify` finds: every file that a run has written, the dataset's other formats among them."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

import synth
from synth.export.verifying import verify
from synth.reader import RunReader

RECIPE = """\
name: t
models:
  m: {provider: scripted}
seeds: {path: seeds.jsonl}
generate:
  - kind: custom
    id: raw
    count: 12
    steps: [{as: draft, prompt: "Say {{ seed.question }} ({{ unit.index }})"}]
    output: {messages: [{role: user, content: "{{ seed.question }}"}, {role: assistant, content: "{{ draft }}"}]}
diversity: "off"
output: {formats: [messages, alpaca, parquet]}
"""


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    (tmp_path / "r.yaml").write_text(RECIPE)
    seeds = [{"question": f"question {number}"} for number in range(12)]
    (tmp_path / "seeds.jsonl").write_bytes(b"".join(orjson.dumps(seed) + b"\n" for seed in seeds))
    return synth.run(synth.load_recipe(tmp_path / "r.yaml"), run_dir=tmp_path / "run").run_dir


def differences(run_dir: Path) -> list[str]:
    with RunReader(run_dir) as reader:
        return list(verify(reader))


def test_every_file_of_the_dataset_is_checked(run_dir: Path) -> None:
    assert differences(run_dir) == []
    pictures = sorted((run_dir / "pictures").iterdir())
    files = [run_dir / "dataset/alpaca/raw.jsonl", run_dir / "dataset/parquet/raw.parquet", *pictures]
    assert len(files) > 2
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert differences(run_dir) == [f"{path} was changed"]
        path.unlink()
        assert differences(run_dir) == [f"{path} is missing"]
        path.write_bytes(content)
    assert differences(run_dir) == []
