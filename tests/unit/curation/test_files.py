"""Files in and out of `synth dedup`: every format, and what is wrong with each."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest
from pyarrow import parquet

from synth.curation.dedup import Exact
from synth.curation.deduplicating import Deduplicated, deduplicate
from synth.curation.reading import read_rows
from synth.errors import UsageError

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


def test_columns_that_come_later_do_not_vanish_from_a_csv() -> None:
    Path("a.jsonl").write_bytes(jsonl({"text": "a b c"}, {"text": "d e f", "more": 1}))
    with pytest.raises(UsageError, match="row 2 has the column more"):
        dedup("a.jsonl", "b.csv")
