"""What people's files hold: `synth clean` reads on, says what it could not use, and takes no time over it."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from synth.curation.cleaned import Cleaned, clean_file
from synth.errors import UsageError
from synth.messages import Json
from synth.recipe.cleaning import CleanSpec

GOOD = b'{"text":"a good line"}'


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def clean(content: bytes, name: str = "a.jsonl", spec: CleanSpec | None = None) -> tuple[list[Json], Cleaned]:
    Path(name).write_bytes(content)
    done = clean_file(Path(name), Path("out.jsonl"), spec or CleanSpec())
    return [orjson.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()], done


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"text": "a\0b"}', "broken JSON: unexpected control character in string at column 12"),
        (b"\0\0\0", "broken JSON: unexpected character"),
        (b'{"text": ', "broken JSON: unexpected end of data at column 9"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "broken JSON"),
        ('{"text": "hi"}'.encode("utf-16"), "broken JSON"),
        (b'["a", "list"]', "not a JSON object"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_and_the_next_is_read(line: bytes, fault: str) -> None:
    rows, done = clean(GOOD + b"\n" + line + b"\n" + GOOD + b"\n")
    assert len(rows) == 2
    assert done.unreadable == 1
    where, why = done.faults[-1]
    assert where == 2
    assert why.startswith(fault.split(" at column")[0])


def test_several_encodings_in_one_file_and_a_mark_at_its_begin() -> None:
    lines = [b"\xef\xbb\xbf" + GOOD, '{"text": "caf\xe9"}'.encode(), '{"text": "caf\xe9"}'.encode("latin-1")]
    rows, done = clean(b"\n".join(lines) + b"\n")
    assert [row["text"] for row in rows] == ["a good line", "café", "café"]
    assert (done.unreadable, done.faults) == (0, [(3, "the byte 0xE9 is not UTF-8: read as Windows-1252")])


def test_a_line_too_long_for_memory_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.curation.reading.MAX_LINE_BYTES", 1_000_000)
    rows, done = clean(b'{"text": "' + b"x" * 3_000_000 + b'"}\n' + GOOD + b"\n")
    assert (rows, done.faults) == ([{"text": "a good line"}], [(1, "the line has more than 1 MB")])


def test_nulls_at_every_depth_are_no_texts_and_no_faults() -> None:
    rows, done = clean(
        b'{"text": null, "messages": [null, {"content": null}, {"content": [null, {"text": null}]}]}\n'
        b'{"text": null, "messages": [null, {"content": " x "}], "more": {"a": {"b": null}}}\n'
    )
    assert rows == [{"text": None, "messages": [None, {"content": "x"}], "more": {"a": {"b": None}}}]
    assert done.tally.dropped == {"no text": 1}


@pytest.mark.parametrize(
    "text",
    [
        "<p>hello <b>x</b> world &amp; so" * 150_000,
        "<div>" * 100_000 + "x" + "</div>" * 100_000,
        "<" * 1_000_000,
        "<a " * 300_000,
        "<script>" * 100_000,
        "<svg>" * 100_000 + "</svg>" * 100_000,
        "<!--" * 200_000,
        "<a b='<i c=\"" * 100_000,
        "![" * 200_000,
        "[](" * 200_000,
        "`" * 100_001,
        "Ã " * 500_000,
    ],
    ids=["5 MB of HTML on one line", "nested", "<", "<a", "script", "svg", "<!--", "quotes", "![", "[](", "`", "Ã"],
)
def test_markup_of_megabytes_takes_no_time_that_grows_with_its_square(text: str) -> None:
    rows, done = clean(orjson.dumps({"text": text}) + b"\n")  # the square takes longer than any test may
    assert (len(rows), done.unreadable) == (1, 0)


def test_html_of_megabytes_keeps_its_paragraphs() -> None:
    rows, _ = clean(orjson.dumps({"text": "<p>hello <b>x</b> world &amp; so" * 10_000}) + b"\n")
    assert rows[0]["text"].splitlines()[:3] == ["hello x world & so", "", "hello x world & so"]


def test_a_parquet_with_another_schema_is_refused_with_its_columns() -> None:
    parquet.write_table(pa.table({"label": [1, 2], "score": [0.5, None]}), "a.parquet")
    with pytest.raises(UsageError, match=r"no row has the field 'text'"):
        clean_file(Path("a.parquet"), Path("out.jsonl"), CleanSpec(fields=["text"]))
    assert not Path("out.jsonl").exists()


def test_a_csv_with_broken_quotes_loses_only_what_is_broken() -> None:
    rows, done = clean(b'text,n\n"one, two",1\n"bad"quote,2\nfour five,4\n', "a.csv")
    assert [row["text"] for row in rows] == ["one, two", "four five"]
    assert (done.unreadable, done.faults[0][0]) == (1, 3)


def test_a_bomb_behind_a_gzip_is_refused() -> None:
    Path("a.jsonl.gz").write_bytes(gzip.compress(b" " * 100_000_000, 1))
    with pytest.raises(UsageError, match="looks like a bomb"):
        clean_file(Path("a.jsonl.gz"), Path("out.jsonl"), CleanSpec())
    assert [path.name for path in Path().iterdir()] == ["a.jsonl.gz"]


def test_an_empty_benchmark_file_is_an_error() -> None:
    Path("b.jsonl").write_bytes(b"\n")
    spec = CleanSpec.model_validate({"decontaminate": {"files": ["b.jsonl"]}})
    with pytest.raises(UsageError, match=r"the benchmark file b.jsonl holds no text"):
        clean(GOOD + b"\n", spec=spec)


def test_an_empty_file_is_an_empty_file() -> None:
    assert clean(b"")[0] == []


def test_a_quote_that_is_not_closed_swallows_no_rows() -> None:
    content = "".join(f"text {n},{n}\n" for n in range(2000)).replace("text 500,", '"text 500,')
    rows, done = clean(b"text,n\n" + content.encode(), "a.csv")
    assert [row["n"] for row in rows] == [str(n) for n in range(2000) if n != 500]
    assert (done.unreadable, done.faults) == (1, [(502, "broken CSV: unexpected end of data")])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"text,n\rone,1\rtwo,2\r", "none of its rows can be read; line 1: broken CSV"),
        ("a.jsonl", b"text,n\none,1\n", "none of its rows can be read; line 1: broken JSON"),
        ("a.jsonl", '{"text": "hi"}\n'.encode("utf-16"), "is UTF-16"),
        ("a.csv", "text\nhi\n".encode("utf-16"), "is UTF-16"),
        ("a.csv", b"text;n\none;1\n", "has semicolons between its columns"),
        ("a.csv", b"text\tn\none\t1\n", "has tabs between its columns"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_what_was_there_stays(name: str, content: bytes, says: str) -> None:
    Path("out.jsonl").write_bytes(GOOD)
    with pytest.raises(UsageError, match=says):
        clean(content, name)
    assert Path("out.jsonl").read_bytes() == GOOD


def test_faults_are_counted_by_kind_and_the_first_of_each_are_shown() -> None:
    guessed, broken = '{"text": "caf\xe9"}'.encode("latin-1"), b"{"
    _, done = clean(b"\n".join([*[guessed] * 10, *[broken] * 5]) + b"\n")
    assert done.counted == ", 5 lines could not be read, 10 lines are not UTF-8: read as Windows-1252"
    assert [line for line, _ in done.faults] == [1, 2, 3, 11, 12, 13]
