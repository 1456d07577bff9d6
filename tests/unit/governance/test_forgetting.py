"""What leaves with a seed: what was made of it and shown to others, and every place where its texts stand."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

import synth
from synth.errors import UsageError
from synth.governance.forgetting import forget
from synth.messages import Message, StopReason, Usage
from synth.models.caller import CallRecord
from synth.models.client import Request, Response, Sampling
from synth.store import Store

RECIPE = """\
name: t
models:
  m: {provider: scripted, answers: answers.yaml}
seeds: {path: seeds.jsonl, clean: {skip: [unicode, markup]}}
generate:
  - kind: custom
    id: raw
    count: 4
    steps: [{as: draft, prompt: "Put it otherwise: {{ seed.text }}"}]
    output: {messages: [{role: user, content: "{{ draft }}"}, {role: assistant, content: "{{ seed.n }}"}]}
diversity: "off"
"""
ANSWERS = """\
- {match: drawer, answer: "Where is it that \\"Alice\\" has her ledger?"}
- {match: hexagon, answer: "How many corners does a hexagon have?"}
- {match: planet, answer: "Which planet has the most mass of all?"}
- {answer: "Which is the city that rules all of France?"}
"""
SEEDS = [
    "Does  Alice keep it in her drawer?",
    "A hexagon has how many sides?",
    "Name the planet.",
    "What rules France?",
]


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(RECIPE)
    Path("answers.yaml").write_text(ANSWERS)
    rows = [{"id": name, "text": text, "n": "7"} for name, text in zip("abcd", SEEDS, strict=True)]
    Path("seeds.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return synth.run(synth.load_recipe("r.yaml"), run_dir="run").run_dir


def unit_of(run_dir: Path, seed: str) -> str:
    rows = map(orjson.loads, (run_dir / "dataset" / "raw.jsonl").read_bytes().splitlines())
    return next(str(row["id"]) for row in rows if row["seed_id"] == seed)


def add_call(run_dir: Path, unit: str, prompt: str) -> None:
    async def record() -> None:
        store = Store.open(run_dir / "run.sqlite")
        request = Request((Message("user", prompt),), Sampling(), sample="")
        answer = Response(Message("assistant", "ok"), Usage(1, 1), StopReason.STOP, "m")
        await store.record_call(CallRecord(f"{unit}/x", unit, "m", "f", request, answer, 0.0, 0.1, 1, "sent"))
        store.close()

    asyncio.run(record())


def units_called(run_dir: Path) -> set[str]:
    store = Store.open(run_dir / "run.sqlite")
    units = {unit for unit, _ in store.prompts()}
    store.close()
    return units


def test_a_question_that_was_made_of_it_is_traced_and_others_are_not(run_dir: Path) -> None:
    alice, hexagon, planet, france = (unit_of(run_dir, seed) for seed in "abcd")
    add_call(run_dir, hexagon, 'Not as in: Where is it that "Alice" has her ledger?')
    add_call(run_dir, planet, "Not as in: How many corners does a hexagon have?")
    gone = forget(run_dir, "a")
    assert set(gone.accepted) == {alice, hexagon, planet}
    assert units_called(run_dir) == {france}


def test_what_a_row_was_given_takes_nobody_along(run_dir: Path) -> None:
    recipe = RECIPE.replace('content: "{{ draft }}"', 'content: "{{ seed.text }}"').replace("seed.n", "draft")
    Path("r.yaml").write_text(recipe)
    given = synth.run(synth.load_recipe("r.yaml"), run_dir="given").run_dir
    alice, hexagon, planet = (unit_of(given, seed) for seed in "abc")
    add_call(given, hexagon, f'{SEEDS[1]} Not as in: Where is it that "Alice" has her ledger?')
    add_call(given, planet, f"Name the planet. Its like is: {SEEDS[1]}")
    assert set(forget(given, "a").accepted) == {alice, hexagon}
    Path("r.yaml").write_text(RECIPE.replace('"{{ draft }}"', '"Put it otherwise, if you can"'))
    same = synth.run(synth.load_recipe("r.yaml"), run_dir="same").run_dir
    add_call(same, unit_of(same, "b"), "Is it right to Put it otherwise, if you can?")
    assert forget(same, "a").accepted == (unit_of_first(same),)


def unit_of_first(run_dir: Path) -> str:
    (row,) = (run_dir / "rejected.jsonl").read_bytes().splitlines()
    return str(orjson.loads(row)["id"])


def test_the_teachers_echo_of_it_goes_too(run_dir: Path) -> None:
    alice, hexagon = unit_of(run_dir, "a"), unit_of(run_dir, "b")
    echoes = [unit.replace("raw-", "raw-echo.") for unit in (alice, hexagon)]
    add_call(run_dir, echoes[0], "Does Alice keep it in her drawer?")
    add_call(run_dir, echoes[1], "A hexagon has how many sides?")
    add_call(run_dir, "raw-echo.000099", 'Where is it that "Alice" has her ledger?')
    assert forget(run_dir, "a").calls == 3
    assert {unit for unit in units_called(run_dir) if "echo" in unit} == {echoes[1]}


def test_what_was_in_the_making_goes_too(run_dir: Path) -> None:
    add_call(run_dir, "raw-000007", f"Put it otherwise: {SEEDS[0]}")
    add_call(run_dir, "personas-000001", "Think of somebody")
    assert forget(run_dir, "a").calls == 2
    assert {"raw-000007", "personas-000001"} & units_called(run_dir) == {"personas-000001"}


def test_no_file_keeps_its_texts_unsaid(run_dir: Path) -> None:
    assert b"her drawer" in (run_dir / "summary.json").read_bytes()
    (run_dir / "note.json").write_bytes(orjson.dumps({"text": 'Where is it that "Alice" has her ledger?'}))
    assert forget(run_dir, "a").elsewhere == (run_dir / "note.json",)
    assert [p for p in run_dir.rglob("*") if p.is_file() and b"Alice" in p.read_bytes()] == [run_dir / "note.json"]
    assert orjson.loads((run_dir / "summary.json").read_bytes())["seeds"]["changed"] == {"space": 1}


def write_seeds(names: str) -> None:
    rows = [{"id": name, "text": text, "n": "7"} for name, text in zip("abcd", SEEDS, strict=True) if name in names]
    Path("seeds.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def test_a_run_goes_on_from_seeds_without_those_forgotten_and_from_no_others(run_dir: Path) -> None:
    recipe = Path("r.yaml")
    recipe.write_text(RECIPE.replace(", clean: {skip: [unicode, markup]}", ""))
    plain = synth.run(synth.load_recipe(recipe), run_dir="plain").run_dir
    assert forget(plain, "a").resumable
    assert forget(plain, "b").resumable
    summary = orjson.loads((plain / "summary.json").read_bytes())
    assert (summary["status"], summary["accepted"]) == ("short", 2)
    for left in ("abcd", "bcd", "d"):
        write_seeds(left)
        with pytest.raises(UsageError, match="seeds") as refused:
            synth.run(synth.load_recipe(recipe), run_dir=plain)
        assert "take what was forgotten, and nothing else, out of the seeds file" in refused.value.hint
    write_seeds("cd")
    result = synth.run(synth.load_recipe(recipe), run_dir=plain)
    assert result.ending.status == "complete"
    assert {row["seed_id"] for row in result.rows()} == {"c", "d"}


def test_a_run_whose_seeds_nobody_can_check_stays_as_it_is(run_dir: Path) -> None:
    assert not forget(run_dir, "a").resumable  # seeds.clean has changed them
    for left in ("abcd", "bcd"):
        write_seeds(left)
        with pytest.raises(UsageError, match="seeds"):
            synth.run(synth.load_recipe("r.yaml"), run_dir=run_dir)


def test_files_that_are_packed_are_looked_into(run_dir: Path) -> None:
    row = {"messages": [{"role": "user", "content": 'Where is it that "Alice" has her ledger?'}]}
    parquet.write_table(pa.Table.from_pylist([row]), run_dir / "mine.parquet")
    parquet.write_table(pa.Table.from_pylist([{"text": "nothing of it"}]), run_dir / "other.parquet")
    (run_dir / "mine.jsonl.gz").write_bytes(gzip.compress(orjson.dumps(row)))
    (run_dir / "broken.parquet").write_bytes(b"PAR1")
    found = forget(run_dir, "a").elsewhere
    assert [path.name for path in found] == ["broken.parquet", "mine.jsonl.gz", "mine.parquet"]
