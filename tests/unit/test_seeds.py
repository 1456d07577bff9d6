"""Seeds are read from every format, and a row that cannot be used is named by its line."""

from __future__ import annotations

import builtins
import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import RecipeError, UsageError
from synth.example import Seed
from synth.recipe.schema import SeedsSpec
from synth.seeds import Need, read_seeds, require_fields


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(name: str, content: str | bytes, **spec: Any) -> tuple[Seed, ...]:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_seeds(SeedsSpec.model_validate({"path": name, **spec}), Path())


def problems(name: str, content: str | bytes, **spec: Any) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        read(name, content, **spec)
    return [f"{found} ({found.hint})" if found.hint else str(found) for found in caught.value.problems]


def test_jsonl_with_renamed_columns_and_generated_ids() -> None:
    content = '\ufeff{"q": "1+1?", "a": 2, "answer": "old"}\r\n\r\n'
    content += '{"id": "b", "q": "2+2?", "a": null}\n{"id": 7, "q": "", "a": []}'
    first, second, third = read("s.jsonl", content, fields={"question": "q", "answer": "a"})
    assert first == Seed("seed-000001", {"question": "1+1?", "answer": 2})
    assert second == Seed("b", {"question": "2+2?", "answer": None, "id": "b"})
    assert (third.id, third.fields["id"]) == ("7", 7)
    assert [seed.line for seed in (first, second, third)] == [1, 3, 4]


def test_json_rows_know_their_line() -> None:
    seeds = read("s.json", '[\n  {"q": "a\\nb"},\n\n  {\n    "q": 2\n  }, {"q": 3}\n]\n')
    assert [(seed.fields["q"], seed.line) for seed in seeds] == [("a\nb", 2), (2, 4), (3, 6)]


def test_csv_stays_text_and_rows_may_span_lines() -> None:
    seeds = read("s.csv", '\ufeffid, q\n1,"two\nlines, and ""quotes"""\n\n02,1.50\n')
    assert [(seed.id, seed.fields["q"], seed.line) for seed in seeds] == [
        ("1", 'two\nlines, and "quotes"', 2),
        ("02", "1.50", 5),
    ]


def test_parquet_values_become_json() -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = {
        "q": ["a", "b"],
        "n": [1.5, float("nan")],
        "when": [datetime.date(2026, 1, 2), None],
        "price": [decimal.Decimal("1.50"), None],
        "deep": [{"x": [1, 2]}, None],
    }
    parquet.write_table(pa.table(rows), "s.parquet")
    first, second = read_seeds(SeedsSpec(path="s.parquet"), Path())
    assert first.fields == {"q": "a", "n": 1.5, "when": "2026-01-02", "price": "1.50", "deep": {"x": [1, 2]}}
    assert second.fields == {"q": "b", "n": None, "when": None, "price": None, "deep": None}
    with pytest.raises(RecipeError, match=r"^s\.parquet: row 2: the field 'n' is null, needed by x$"):
        require_fields([first, second], [Need("n", "x")], file=Path("s.parquet"))


def test_parquet_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems("s.parquet", b"PAR1 nonsense")[0].startswith("s.parquet: not a Parquet file that can be read: ")
    real = builtins.__import__

    def without_pyarrow(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(UsageError) as caught:
        read("s.parquet", b"x")
    assert (caught.value.message, caught.value.hint) == (
        "reading 's.parquet' needs pyarrow",
        "pip install 'synth[parquet]', or use .jsonl",
    )


def test_only_the_first_are_read_where_there_is_a_limit() -> None:
    assert [seed.id for seed in read("s.jsonl", '{"id": "a"}\n{"id": "b"}\nbroken\n', limit=2)] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("s.jsonl", b"", "s.jsonl: the file is empty"),
        ("s.jsonl", b"\n \n", "s.jsonl: there are no seeds in this file"),
        ("s.json", b"[]", "s.json: there are no seeds in this file"),
        ("s.csv", b"q,a\n", "s.csv: there are no seeds in this file"),
        (
            "s.jsonl",
            b'{"q": 1}\n' * 6 + b'{"q": 1, "a"}\n',
            "s.jsonl:7:13: broken JSON: unexpected character, expected ':' after key (each line is one JSON object)",
        ),
        (
            "s.jsonl",
            b'{"q": 1}\n{"q": "x\n',
            "s.jsonl:2:9: broken JSON: unexpected end of data (each line is one JSON object)",
        ),
        ("s.jsonl", b'{"q": 1}\n["a"]\n', "s.jsonl:2:1: a seed is a JSON object, and this is a list"),
        ("s.jsonl", b'"' + b"a" * 50 + b'"\n', 's.jsonl:1:1: a seed is a JSON object, and this is "' + "a" * 38 + "…"),
        ("s.jsonl", b'{"q": "caf\xe9"}\n', "s.jsonl:1:11: the byte 0xE9 is not UTF-8 text (save the file as UTF-8)"),
        (
            "s.jsonl",
            '{"q": 1}'.encode("utf-16"),
            "s.jsonl:1:1: this is UTF-16, not UTF-8 text (save the file as UTF-8)",
        ),
        (
            "s.jsonl",
            b'{"id": "a"}\n{"id": "a"}\n',
            "s.jsonl:2:1: the id 'a' is taken: line 1 has it (ids must be unique)",
        ),
        ("s.jsonl", b'{"id": [1]}\n', "s.jsonl:1:1: the id must be text or a number, got a list"),
        ("s.jsonl", b'{"id": " "}\n', 's.jsonl:1:1: the id must be text or a number, got " "'),
        ("s.json", b'{"q": 1}', "s.json:1:1: a .json file of seeds is a list of objects: [{…}, {…}]"),
        ("s.json", b'[{"q": 1},\n {"q": }]', "s.json:2:8: broken JSON: Expecting value"),
        ("s.json", b'[{"q": 1}\n {"q": 2}]', "s.json:2:2: broken JSON: Expecting ',' or ']'"),
        ("s.json", b'[{"q": 1}', "s.json:1:10: broken JSON: Expecting ',' or ']'"),
        ("s.json", b'[{"q": 1},\n{"q": NaN}]', "s.json:2:1: broken JSON: NaN is not JSON"),
        (
            "s.json",
            b'[{"q": "\\ud800"}]',
            "s.json:1:1: this row holds what JSON cannot: str is not valid UTF-8: surrogates not allowed",
        ),
        ("s.csv", b"q,a\n1,2\n3\n", "s.csv:3:1: this row has 1 fields, and the header has 2"),
        ("s.csv", b"q,q\n1,2\n", "s.csv:1:1: the header names the column 'q' twice"),
        ("s.csv", b'q\n1\n"open\n3\n', "s.csv:3:1: broken CSV in the row that starts here: unexpected end of data"),
        ("s.txt", b"q", "s.txt: seeds are .jsonl, .json, .csv or .parquet, not '.txt'"),
    ],
)
def test_what_is_wrong_is_named_where_it_is(name: str, content: bytes, expected: str) -> None:
    assert problems(name, content) == [expected]


def test_a_file_that_is_not_there_or_a_folder() -> None:
    Path("d.jsonl").mkdir()
    for name, expected in [
        ("no.jsonl", "no.jsonl: there is no such file of seeds"),
        ("d.jsonl", "d.jsonl: this is a folder, not a file of seeds"),
    ]:
        with pytest.raises(RecipeError) as caught:
            read_seeds(SeedsSpec(path=name), Path())
        assert str(caught.value) == expected


def test_a_field_of_a_megabyte_is_refused() -> None:
    row = json.dumps({"q": "fine", "story": "x" * 1_000_000})
    expected = "the field 'story' has 1,000 kB, and a seed's field has at most 200 kB"
    assert problems("s.jsonl", f'{{"q": 1}}\n{row}\n') == [f"s.jsonl:2:1: {expected}"]
    assert problems("s.csv", f"q,story\n1,{'x' * 1_000_000}\n") == [f"s.csv:2:1: {expected}"]
    assert problems("s.jsonl", '{"q": "' + "x" * 17_000_000) == [
        "s.jsonl:1:1: this line has more than 16 MB: it is no seed"
    ]


def test_a_missing_column_is_said_once_and_a_gap_by_its_line() -> None:
    rows = '{"qestion": 1}\n{"qestion": 2}\n'
    assert problems("s.jsonl", rows, fields={"question": "question"}) == [
        "s.jsonl:1:1: there is no column 'question', which seeds.fields.question names (did you mean 'qestion'?)"
    ]
    assert problems("s.jsonl", rows + "{}\n", fields={"question": "qestion"}) == [
        "s.jsonl:3:1: this row has no 'qestion', which seeds.fields.question names"
    ]


def test_at_most_twenty_rows_are_named() -> None:
    found = problems("s.jsonl", "nope\n" * 1234)
    assert len(found) == 21
    assert found[19].startswith("s.jsonl:20:1: broken JSON")
    assert found[20] == "s.jsonl: and 1,214 more"


def test_every_field_that_a_generator_needs_is_there() -> None:
    seeds = read("s.jsonl", '{"q": "a", "a": "1"}\n{"q": null, "a": ""}\n{"q": "c"}\n')
    file = Path("s.jsonl")
    require_fields(seeds, [Need("q", "custom", may_be_empty=True)], file=file)
    with pytest.raises(RecipeError) as caught:
        require_fields(seeds, [Need("q", "cot"), Need("a", "cot"), Need("question", "rephrase")], file=file)
    assert [f"{found} ({found.hint})" if found.hint else str(found) for found in caught.value.problems] == [
        "s.jsonl:1:1: no seed has the field 'question', needed by rephrase"
        " (the columns are: q, a; rename one with seeds: {fields: {question: its name}})",
        "s.jsonl:2:1: the field 'q' is null, needed by cot",
        "s.jsonl:2:1: the field 'a' is empty, needed by cot",
        "s.jsonl:3:1: the field 'a' is missing, needed by cot",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=5).filter(lambda name: name != "id"), JSON, max_size=4), min_size=1, max_size=5
    )
)
def test_json_and_jsonl_give_the_same_rows(rows: list[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    assert [seed.fields for seed in read("s.jsonl", lines)] == rows
    assert read("s.json", json.dumps(rows, indent=1)) == read("s.jsonl", lines)


@settings(max_examples=100)
@given(
    st.binary() | st.text(alphabet='{}[]",:abq1\n ').map(str.encode),
    st.sampled_from(["s.jsonl", "s.json", "s.csv", "s.parquet"]),
)
def test_any_bytes_are_seeds_or_a_recipe_error(content: bytes, name: str) -> None:
    try:
        found = [seed.id for seed in read(name, content)]
    except RecipeError as error:
        found = [problem.message for problem in error.problems]
    assert found
    assert all(found)
