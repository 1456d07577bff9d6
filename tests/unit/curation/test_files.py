"""Files in and out of `synth dedup`: every format, and what is wrong with each."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from synth.curation.band_table import BandTable
from synth.curation.cleaned import clean_file
from synth.curation.dedup import Banded, Exact
from synth.curation.deduplicating import Deduplicated, deduplicate
from synth.curation.minhash import Banding, Signer
from synth.curation.reading import read_rows
from synth.errors import RecipeError, UsageError
from synth.recipe.cleaning import CleanSpec
from synth.recipe.schema import SeedsSpec
from synth.seeds import read_seeds

TEXTS = ["one two three four five six", "seven eight nine ten eleven", "One two three, four five six!"]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def dedup(source: str, target: str, field: str = "text") -> Deduplicated:
    return deduplicate(Path(source), Path(target), field, Exact(0.7))


def jsonl(*rows: object) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def test_every_format_goes_into_every_other() -> None:
    Path("a.jsonl").write_bytes(jsonl(*({"id": n, "text": text} for n, text in enumerate(TEXTS))))
    for source, target in (("a.jsonl", "b.csv"), ("a.jsonl", "c.parquet"), ("a.jsonl", "d.jsonl.gz")):
        done = dedup(source, target)
        assert (done.kept, done.dropped, done.examples) == (2, 1, [(3, TEXTS[2])])
    assert Path("b.csv").read_text() == f"id,text\n0,{TEXTS[0]}\n1,{TEXTS[1]}\n"
    assert parquet.read_table("c.parquet").to_pylist() == [{"id": n, "text": TEXTS[n]} for n in (0, 1)]
    assert gzip.decompress(Path("d.jsonl.gz").read_bytes()) == jsonl(*({"id": n, "text": TEXTS[n]} for n in (0, 1)))
    for source in ("b.csv", "c.parquet", "d.jsonl.gz"):
        assert dedup(source, "e.jsonl").kept == 2
        assert [orjson.loads(line)["text"] for line in Path("e.jsonl").read_bytes().splitlines()] == TEXTS[:2]


def test_lines_that_cannot_be_read_are_told_and_the_rest_is_not_lost() -> None:
    good = orjson.dumps({"text": TEXTS[0]})
    latin = '{"text": "caf\xe9 au lait"}'.encode("latin-1")
    Path("a.jsonl").write_bytes(
        b"\n".join([b"\xef\xbb\xbf" + good, b"{broken", b"[1]", b"\0", latin, b"", b'{"text": null}'])
    )
    done = dedup("a.jsonl", "b.jsonl")
    assert (done.kept, done.dropped, done.unreadable, done.without_text) == (3, 0, 3, 1)
    assert [line for line, _ in done.faults] == [2, 3, 4, 5]
    assert orjson.loads(Path("b.jsonl").read_bytes().splitlines()[1])["text"] == "café au lait"


def test_a_broken_csv_is_told_by_its_line() -> None:
    Path("a.csv").write_bytes(b'text,n\n"one, two",1\nthree\n"bad"quote,2\nfour five,4\n')
    faults: list[tuple[int, str]] = []
    rows = list(read_rows(Path("a.csv"), lambda line, fault: faults.append((line, fault))))
    assert [row.data["text"] for row in rows] == ["one, two", "four five"]
    assert [line for line, _ in faults] == [3, 4]


def test_a_bomb_is_refused() -> None:
    Path("a.jsonl.gz").write_bytes(gzip.compress(b" " * 100_000_000, 1))
    with pytest.raises(UsageError, match="looks like a bomb"):
        dedup("a.jsonl.gz", "b.jsonl")
    assert not list(Path().glob("b.*"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", jsonl({"q": "x"}), "has no field 'text'"),
        ("a.jsonl.gz", gzip.compress(jsonl({"text": "x"}), mtime=0)[:-9], "is no whole gzip file"),
        ("a.parquet", b"PAR1", "is no Parquet file"),
        ("a.pdf", b"", "synth reads .jsonl"),
        ("none.jsonl", None, "there is no file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_nothing_written(name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(UsageError, match=says):
        dedup(name, "out.jsonl")
    assert not list(Path().glob("out*"))


def test_a_file_that_cannot_be_written_is_refused_as_such() -> None:
    Path("a.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(UsageError, match=r"^out\.xyz: synth writes \.jsonl"):
        dedup("a.jsonl", "out.xyz")
    assert not list(Path().glob("out*"))


def test_columns_that_come_later_do_not_vanish_from_a_csv() -> None:
    Path("a.jsonl").write_bytes(jsonl({"text": "a b c"}, {"text": "d e f", "more": 1}))
    with pytest.raises(UsageError, match="row 2 has the column more"):
        dedup("a.jsonl", "b.csv")


def test_parquet_has_every_column_of_its_rows() -> None:
    Path("a.jsonl").write_bytes(jsonl({"text": "a b c"}, {"text": "d e f", "more": [{"n": 1}], "none": None}))
    dedup("a.jsonl", "b.parquet")
    assert parquet.read_table("b.parquet").to_pylist() == [
        {"text": "a b c", "more": None, "none": None},
        {"text": "d e f", "more": [{"n": 1}], "none": None},
    ]
    assert parquet.read_schema("b.parquet").field("none").type == pa.string()


@pytest.mark.parametrize(
    ("late", "says"),
    [
        ({"label": "x"}, "row 1001 has the column label,"),
        ({"said": [{"role": "a", "calls": [1]}]}, r"row 1001 has the column said\.calls,"),
        ({"n": "many"}, "rows of different types in the column 'n'"),
    ],
)
def test_what_has_no_place_in_the_parquet_columns_is_refused(late: dict[str, object], says: str) -> None:
    rows: list[dict[str, object]] = [{"text": f"{n} {n}a {n}b", "n": n, "said": [{"role": "a"}]} for n in range(1001)]
    Path("a.jsonl").write_bytes(jsonl(*rows[:-1], rows[-1] | late))
    with pytest.raises(UsageError, match=says):
        dedup("a.jsonl", "b.parquet")
    assert not Path("b.parquet").exists()


def test_parquet_keeps_the_types_it_was_read_with() -> None:
    table = pa.table(
        {
            "text": [f"{n}  {n}a {n}b" for n in range(1001)],
            "note": pa.array([None] * 1000 + ["x"], pa.string()),
            "n": pa.array([1] * 1001, pa.int16()),
            "pairs": pa.array([[("a", "b")]] * 1001, pa.map_(pa.string(), pa.string())),
            "image": pa.array([b"\xff"] * 1001, pa.binary()),
        }
    ).replace_schema_metadata({"who": "me"})
    parquet.write_table(table, "a.parquet")
    clean_file(Path("a.parquet"), Path("b.parquet"), CleanSpec())
    made = parquet.read_table("b.parquet")
    assert made.schema.equals(parquet.read_schema("a.parquet"), check_metadata=True)
    assert made.drop("text").equals(table.drop("text"))
    assert made["text"][1000].as_py() == "1000 1000a 1000b"


def test_a_column_that_is_something_else_when_clean_has_another_type() -> None:
    said = [{"from": "human", "value": "Why?", "mood": 1}, {"from": "gpt", "value": "So."}]
    parquet.write_table(pa.Table.from_pylist([{"n": 1, "messages": said}]), "a.parquet")
    clean_file(Path("a.parquet"), Path("b.parquet"), CleanSpec(messages=True))
    messages = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    assert parquet.read_table("b.parquet").to_pylist() == [{"n": 1, "messages": messages}]


@pytest.mark.parametrize("target", ["b.jsonl", "b.csv"])
@pytest.mark.parametrize("value", [b"\x89PNG", {"path": "a.png", "bytes": b"\x89PNG"}])
def test_bytes_do_not_become_text(value: object, target: str) -> None:
    parquet.write_table(pa.Table.from_pylist([{"text": "a b c", "image": value}]), "a.parquet")
    with pytest.raises(UsageError, match="row 1: the column 'image' cannot be text"):
        dedup("a.parquet", target)
    assert not Path(target).exists()


def test_two_columns_of_one_name_are_refused() -> None:
    Path("a.csv").write_text("text,tag,tag\na b c,1,2\n")
    parquet.write_table(pa.table([["a"], ["b"]], names=["text", "text"]), "a.parquet")
    for source, name in (("a.csv", "tag"), ("a.parquet", "text")):
        with pytest.raises(UsageError, match=f"{source} has two columns of the name '{name}'"):
            dedup(source, "b.jsonl")
    with pytest.raises(RecipeError, match=r"a\.parquet: there are two columns of the name 'text'"):
        read_seeds(SeedsSpec(path="a.parquet"), Path())


def test_a_date_beyond_pythons_is_told() -> None:
    parquet.write_table(pa.table({"text": ["a"], "day": pa.array([10_000_000], pa.date32())}), "a.parquet")
    with pytest.raises(UsageError, match=r"a\.parquet: from row 1 on there is a date or time that Python cannot hold"):
        dedup("a.parquet", "b.jsonl")
    with pytest.raises(RecipeError, match=r"a\.parquet: row 1: from here on there is a date or time"):
        read_seeds(SeedsSpec(path="a.parquet"), Path())


def chat(*said: str, **more: object) -> dict[str, object]:
    parts = [[{"type": "text", "text": text}] for text in said]
    roles = ["user", "assistant"] * len(parts)
    turns = [{"role": role, "content": content} | more for role, content in zip(roles, parts, strict=False)]
    return {"messages": [{"role": "system", "content": "You are a helpful assistant."}, *turns]}


def test_of_messages_parts_and_calls_are_compared() -> None:
    chats = [chat("How do volcanoes erupt?", "By magma."), chat("Write a poem", "Drops."), chat("Sort it", "Ok")]
    Path("a.jsonl").write_bytes(jsonl(*chats, chats[1]))
    assert dedup("a.jsonl", "b.jsonl", "messages").kept == 3
    calls = [[{"function": {"name": "find", "arguments": f'{{"q": "{q}"}}'}}] for q in ("ten red cars", "my lost cat")]
    Path("a.jsonl").write_bytes(jsonl(*(chat("Do", tool_calls=made) for made in (*calls, calls[0], None))))
    done = dedup("a.jsonl", "b.jsonl", "messages")
    assert (done.kept, done.dropped) == (3, 1)


def test_operators_between_numbers_tell_texts_apart() -> None:
    texts = [f"What is 12 {sign} 7 in total?" for sign in "+-*/×"]
    Path("a.jsonl").write_bytes(jsonl(*({"text": text} for text in texts)))
    for deduplicator in (Exact(0.7), Banded(Signer(Banding.choose(0.7)), BandTable())):
        done = deduplicate(Path("a.jsonl"), Path("b.jsonl"), "text", deduplicator)
        assert (done.kept, done.examples) == (4, [(5, texts[4])])


def test_an_object_without_names_is_no_column_of_parquet() -> None:
    rows = [{"text": f"a {n}", "attributes": {}, "lineage": {"axes": {}, "seeds": ["s"]}} for n in range(2)]
    Path("a.jsonl").write_bytes(jsonl(*rows))
    clean_file(Path("a.jsonl"), Path("b.parquet"), CleanSpec())
    assert parquet.read_table("b.parquet").to_pylist() == [
        {"text": f"a {n}", "lineage": {"seeds": ["s"]}} for n in range(2)
    ]


def test_whole_numbers_of_any_length_stay_as_they_are() -> None:
    Path("a.jsonl").write_bytes(b'{"text":"a  b","n":123456789012345678901234567890}\n')
    clean_file(Path("a.jsonl"), Path("b.jsonl"), CleanSpec())
    assert Path("b.jsonl").read_bytes() == b'{"text":"a b","n":123456789012345678901234567890}\n'


@pytest.mark.parametrize("kept", ["marks.jsonl", "rejected.jsonl", "dataset/raw.jsonl", "dataset/new/raw.parquet"])
def test_what_a_run_keeps_is_not_written_over(kept: str) -> None:
    Path("run/dataset").mkdir(parents=True)
    Path("run/run.sqlite").touch()
    Path("a.jsonl").write_bytes(jsonl({"text": "a"}))
    with pytest.raises(UsageError, match=f"run/{kept} is the run's own"):
        dedup("a.jsonl", f"run/{kept}")
    dedup("a.jsonl", "run/mine.jsonl")
