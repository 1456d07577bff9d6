"""Files, splits, shards and Parquet: what is written, and that nothing goes missing unsaid."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from synth.errors import UsageError
from synth.export.exporting import dataset_rows, export_rows, only_marked
from synth.export.split import assign, on_more_sides, parse_shares
from synth.messages import Json


def row(number: int, seed: str | None, turns: int = 1) -> Json:
    messages = [
        {"role": role, "content": f"{role} {number} {turn}"} for turn in range(turns) for role in ("user", "assistant")
    ]
    return {"id": f"g-{number}", "kind": "k", "generator": "g", "seed_id": seed, "messages": messages, "scores": {}}


def make_run(folder: Path, rows: list[Json]) -> Path:
    (folder / "run/dataset").mkdir(parents=True)
    (folder / "run/dataset/g.jsonl").write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in rows))
    return folder / "run"


def read(path: Path) -> list[Json]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_rows_left_out_are_counted_by_reason(tmp_path: Path) -> None:
    rows = dataset_rows(make_run(tmp_path, [row(0, "a"), row(1, "a", turns=2), row(2, "b", turns=2)]))
    done = export_rows(rows, "alpaca", tmp_path / "out.jsonl")
    assert done.files == {tmp_path / "out.jsonl": 1}
    assert done.left_out == {"alpaca has one question and one answer": 2}
    assert [record["instruction"] for record in read(tmp_path / "out.jsonl")] == ["user 0 0"]


def test_rows_are_chosen_by_their_marks(tmp_path: Path) -> None:
    rows = dataset_rows(make_run(tmp_path, [row(n, None) for n in range(4)]))
    marks = {"g-0": "good", "g-1": "bad", "g-3": "good"}

    def chosen(*wanted: str) -> list[str]:
        return [one["id"] for one in only_marked(rows, marks, wanted)()]

    assert chosen("good") == ["g-0", "g-3"]
    assert chosen("good", "none") == ["g-0", "g-2", "g-3"]
    assert chosen("unsure") == []


def test_splits_share_no_seed_and_shards_keep_the_order(tmp_path: Path) -> None:
    made = [row(number, f"s{number % 10}") for number in range(100)]
    rows = dataset_rows(make_run(tmp_path, made))
    shares = parse_shares("train=0.8,test=0.2")
    done = export_rows(rows, "messages", tmp_path / "out", shares=shares, shard_size=30)
    assert [(path.name, count) for path, count in done.files.items()] == [
        ("train-00000.jsonl", 30),
        ("train-00001.jsonl", 30),
        ("train-00002.jsonl", 20),
        ("test-00000.jsonl", 20),
    ]
    written = [record["messages"] for path in done.files for record in read(path)]
    assert sorted(map(str, written)) == sorted(str(one["messages"]) for one in made)


@pytest.mark.parametrize("shard_size", [2, None])
def test_shards_of_an_earlier_export_do_not_stay_beside_new_ones(tmp_path: Path, shard_size: int | None) -> None:
    rows = dataset_rows(make_run(tmp_path, [row(n, None) for n in range(3)]))
    out = tmp_path / "out"
    for _ in range(2):
        export_rows(rows, "messages", out, shard_size=1)
    (out / "data-of-mine.jsonl").write_bytes(b"")
    before = {path: path.read_bytes() for path in out.iterdir()}
    left = "data-00002.jsonl" if shard_size else "data-00000.jsonl and 2 more"
    with pytest.raises(UsageError, match=f"{left} of an earlier export would stay"):
        export_rows(rows, "messages", out, shard_size=shard_size)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 20)), min_size=1, max_size=60),
    st.integers(),
)
def test_no_seed_is_on_both_sides_in_any_order_of_rows(seeds: list[int | None], key: int) -> None:
    made = [row(number, None if seed is None else str(seed)) for number, seed in enumerate(seeds)]
    shares = {"train": 0.7, "test": 0.3}
    sides = assign(made, shares, key)
    assert assign(reversed(made), shares, key) == sides
    assert set(sides.values()) <= set(shares)
    largest = max(sum(other == seed for other in seeds) if seed is not None else 1 for seed in seeds)
    trained = sum(sides[f"seed {one['seed_id']}" if one["seed_id"] else f"row {one['id']}"] == "train" for one in made)
    assert abs(trained - 0.7 * len(made)) <= largest


def shown(number: int, *seeds: str) -> Json:
    return row(number, seeds[0]) | {"lineage": {"seeds": list(seeds)}}


def test_seeds_shown_in_prompts_stay_on_one_side_where_shares_allow_it(tmp_path: Path) -> None:
    shares = {"train": 0.5, "test": 0.5}
    pairs = [shown(n, f"{n}", f"{n + 1 - 2 * (n % 2)}") for n in range(20)]
    for key in range(5):
        sides = assign(pairs, shares, key)
        assert on_more_sides(pairs, sides) == 0
        assert Counter(sides.values()) == {"train": 10, "test": 10}
    ring = [shown(n, f"{n}", f"{(n + 1) % 20}") for n in range(20)]
    done = export_rows(lambda: iter(ring), "messages", tmp_path / "out", shares=shares)
    assert list(done.files.values()) == [10, 10]
    assert done.on_both_sides > 1


def test_a_side_without_rows_is_told(tmp_path: Path) -> None:
    rows = [row(n, "a") for n in range(3)]
    done = export_rows(lambda: iter(rows), "messages", tmp_path / "out", shares={"train": 0.9, "test": 0.1})
    assert done.empty == ["test"]


@pytest.mark.parametrize("text", ["train", "train=x", "train=0.5", "train=1,train=0", "=1", "train=0.9,test=0.2", ""])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--split"):
        parse_shares(text)


def test_parquet_has_the_same_columns_whatever_the_rows_hold(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    richer = row(1, "a") | {"tools": [{"x": 1}], "label": "blue"}
    richer["messages"][1]["tool_calls"] = [call]
    for name, made in (("plain", [row(0, None)]), ("rich", [richer])):
        rows = dataset_rows(make_run(tmp_path / name, made))
        export_rows(rows, "parquet", tmp_path / f"{name}.PARQUET")
    plain, rich = (parquet.read_table(tmp_path / f"{name}.PARQUET") for name in ("plain", "rich"))
    assert plain.schema == rich.schema
    (back,) = rich.to_pylist()
    assert back["messages"][1]["tool_calls"] == [call]
    assert orjson.loads(back["extra"]) == {"label": "blue"}
    assert orjson.loads(back["tools"]) == [{"x": 1}]


@pytest.mark.parametrize(
    ("to", "options", "says"),
    [
        ("x.jsonl", {"shard_size": 3}, "name a folder"),
        ("x.parquet", {}, "is written as .jsonl"),
        ("x.csv", {}, "is written as .jsonl"),
        ("v1.2/", {}, "one with a dot in its name must be there"),
    ],
)
def test_what_cannot_be_written_as_asked(tmp_path: Path, to: str, options: dict[str, int], says: str) -> None:
    rows = dataset_rows(make_run(tmp_path, [row(0, None)]))
    with pytest.raises(UsageError) as caught:
        export_rows(rows, "messages", tmp_path / to, shard_size=options.get("shard_size"))
    assert says in caught.value.message + caught.value.hint
    assert not (tmp_path / to).exists()


def test_a_folder_with_a_dot_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "v1.2").mkdir()
    done = export_rows(dataset_rows(make_run(tmp_path, [row(0, None)])), "messages", tmp_path / "v1.2")
    assert done.files == {tmp_path / "v1.2/data.jsonl": 1}


def test_what_is_meant_for_standard_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--to -: the format messages"):
        export_rows(dataset_rows(make_run(tmp_path, [row(0, None)])), "messages", Path("-"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"id": 1\n', r"g\.jsonl:1: broken JSON"),
        (b'{"id": 1}\n', r"g\.jsonl:1: a dataset row has a list of messages"),
    ],
)
def test_a_dataset_edited_by_hand_is_named_by_its_line(tmp_path: Path, content: bytes, says: str) -> None:
    run = make_run(tmp_path, [])
    (run / "dataset/g.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match=says):
        export_rows(dataset_rows(run), "messages", tmp_path / "out.jsonl")
    assert not list(tmp_path.glob("out*"))


def test_a_folder_without_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no dataset"):
        dataset_rows(tmp_path)
