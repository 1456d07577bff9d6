"""What `synth verify` finds: every file that a run has written, the dataset's other formats among them."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

import synth
from synth.errors import UsageError
from synth.export.exporting import dataset_rows
from synth.export.verifying import verify
from synth.reader import RunReader
from synth.run_lock import only_run_in

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


def test_what_was_added_and_a_lock_that_was_edited_are_named(run_dir: Path) -> None:
    added = run_dir / "dataset/other.jsonl"
    added.write_bytes(b"{}")
    lock = run_dir / "recipe.lock.yaml"
    lock.write_text(lock.read_text().replace("count: 12", "count: 13"))
    assert differences(run_dir) == [f"{lock} was changed", f"{added} was added: the run has not written it"]


def test_a_run_at_work_is_not_verified(run_dir: Path) -> None:
    with only_run_in(run_dir), pytest.raises(UsageError, match=r"another synth \(process \d+\) is at work"):
        differences(run_dir)


def test_a_format_that_is_not_asked_for_any_more_goes(run_dir: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    recipe.write_text(RECIPE.replace("[messages, alpaca, parquet]", "[messages]"))
    synth.run(synth.load_recipe(recipe), run_dir=run_dir)
    assert [path.name for path in (run_dir / "dataset").rglob("*") if path.is_file()] == ["raw.jsonl"]
    assert differences(run_dir) == []


def test_only_what_the_run_has_written_is_its_dataset(run_dir: Path) -> None:
    (run_dir / "dataset/other.jsonl").write_bytes(b"{}")
    assert len(list(dataset_rows(run_dir)())) == 12
    (run_dir / "dataset/raw.jsonl").unlink()
    with pytest.raises(UsageError, match=r"raw\.jsonl is missing"):
        dataset_rows(run_dir)
