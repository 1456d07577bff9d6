"""What a run folder says of itself: metadata that loads, changes by hand, seeds that leave it, two compared."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import yaml

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
output: {formats: [messages, sharegpt], license: CC-BY-4.0, usage: ["http://purl.obolibrary.org/obo/DUO_0000042"]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("provenance")
    seeds = [{"id": f"s{number}", "question": f"the very private question number {number}"} for number in range(10)]
    (made / "seeds.jsonl").write_bytes(b"".join(orjson.dumps(seed) + b"\n" for seed in seeds))
    (made / "r.yaml").write_text(RECIPE)
    for run in ("one", "two"):
        assert synth(made, "run", "r.yaml", "--run-dir", run, "--quiet").returncode == 0
    return made


def synth(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "synth", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # what its reader is built on
def test_croissant_loads_every_row(folder: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    dataset = croissant.Dataset(jsonld=str(folder / "one" / "croissant.json"))
    assert not dataset.metadata.issues.errors
    records = list(dataset.records("raw"))
    rows = [orjson.loads(line) for line in (folder / "one/dataset/raw.jsonl").read_bytes().splitlines()]
    assert [record["raw/id"].decode() for record in records] == [row["id"] for row in rows]
    said = [[part["raw/messages/content"].decode() for part in record["raw/messages"]] for record in records]
    assert said == [[message["content"] for message in row["messages"]] for row in rows]


def test_provenance_names_seeds_prompts_and_models(folder: Path) -> None:
    made = orjson.loads((folder / "one/croissant.json").read_bytes())
    run = made["prov:wasGeneratedBy"]
    assert made["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert {"#recipe", "#seeds", "#prompt/raw.draft"} <= {entity["@id"] for entity in run["prov:used"]}
    assert {"#synth", "#model/teacher"} == {agent["@id"] for agent in run["prov:wasAssociatedWith"]}
    row = orjson.loads((folder / "one/dataset/raw.jsonl").read_bytes().splitlines()[0])
    assert row["lineage"]["seeds"] == [row["seed_id"]]
    assert row["lineage"]["gates"] == ["format", "length"]
    prompts = orjson.loads((folder / "one/prompts.json").read_bytes())
    assert prompts[row["lineage"]["prompts"]["raw.draft"]] == "Say {{ seed.question }} ({{ unit.index }})"


def test_a_seed_leaves_with_all_that_came_from_it(folder: Path) -> None:
    before = synth(folder, "diff", "one", "two", "--json")
    assert orjson.loads(before.stdout)["rows"] == {"same": 20, "only_first": [], "only_second": []}

    done = synth(folder, "forget", "two", "--seed", "s3")
    assert done.returncode == 0, done.stderr
    assert "2 examples" in done.stderr
    held = [p for p in (folder / "two").rglob("*") if p.is_file() and b"private question number 3" in p.read_bytes()]
    assert held == []
    assert synth(folder, "verify", "two").returncode == 0
    summary = orjson.loads((folder / "two/summary.json").read_bytes())
    assert (summary["accepted"], summary["rejected"]) == (18, {"forgotten": 2})
    assert len((folder / "two/dataset/sharegpt/raw.jsonl").read_bytes().splitlines()) == 18

    rows = orjson.loads(synth(folder, "diff", "one", "two", "--json").stdout)["rows"]
    assert (rows["same"], len(rows["only_first"]), rows["only_second"]) == (18, 2, [])

    unknown = synth(folder, "forget", "two", "--seed", "s3")
    assert unknown.returncode == 2
    assert "nothing of a seed 's3'" in unknown.stderr


@pytest.mark.parametrize("name", ["README.md", "croissant.json", "summary.json", "prompts.json", "rejected.jsonl"])
def test_a_file_changed_by_hand_is_named(folder: Path, name: str) -> None:
    path = folder / "one" / name
    content = path.read_bytes()
    try:
        path.write_bytes(content + b" ")
        done = synth(folder, "verify", "one")
        assert done.returncode == 1
        assert f"one/{name} was changed" in done.stderr
    finally:
        path.write_bytes(content)
    assert synth(folder, "verify", "one").returncode == 0


def test_a_run_as_a_stage_of_dvc(tmp_path: Path) -> None:
    (tmp_path / "seeds.jsonl").write_bytes(orjson.dumps({"question": "why?"}) + b"\n")
    (tmp_path / "r.yaml").write_text(RECIPE)
    (tmp_path / "dvc.yaml").write_text("stages:\n  other:\n    cmd: echo hello\n")
    assert synth(tmp_path, "run", "r.yaml", "--count", "2", "--dvc", "--quiet").returncode == 0
    stages = yaml.safe_load((tmp_path / "dvc.yaml").read_text())["stages"]
    assert stages["other"] == {"cmd": "echo hello"}
    assert stages["t"]["cmd"] == "synth run r.yaml --count 2"
    assert stages["t"]["deps"] == ["r.yaml", "seeds.jsonl"]
    assert stages["t"]["outs"] == [{"runs/t/dataset": {"persist": True}}]

    (tmp_path / "dvc.yaml").write_text("stages: [\n")
    done = synth(tmp_path, "run", "r.yaml", "--dvc")
    assert done.returncode == 2
    assert "is not a file of stages" in done.stderr


@pytest.mark.skipif(shutil.which("dvc") is None, reason="dvc is not installed")
def test_dvc_repro_runs_it_and_knows_when_it_need_not(tmp_path: Path) -> None:
    (tmp_path / "seeds.jsonl").write_bytes(orjson.dumps({"question": "why?"}) + b"\n")
    (tmp_path / "r.yaml").write_text(RECIPE)
    assert synth(tmp_path, "run", "r.yaml", "--count", "2", "--dvc", "--quiet").returncode == 0
    synth_here = tmp_path / "bin" / "synth"
    synth_here.parent.mkdir()
    synth_here.write_text(f'#!/bin/sh\nexec {sys.executable} -m synth "$@"\n')
    synth_here.chmod(0o755)

    def dvc(*words: str) -> str:
        path = f"{synth_here.parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["dvc", *words], cwd=tmp_path, capture_output=True, text=True, check=True, env={**os.environ, "PATH": path}
        )
        return done.stdout

    dvc("init", "--no-scm")
    assert "Running stage 't'" in dvc("repro")
    assert "didn't change" in dvc("repro")
    with (tmp_path / "seeds.jsonl").open("ab") as seeds:
        seeds.write(orjson.dumps({"question": "how?"}) + b"\n")
    (tmp_path / "runs/t/run.sqlite").unlink()  # another recipe needs another run
    assert "Running stage 't'" in dvc("repro")
