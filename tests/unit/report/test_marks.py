"""marks.jsonl: what is written is what is read, the last word counts, and damage is said."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import UsageError
from synth.report.marks import MARKS, add_mark, marks_file, read_marks


def test_no_file_is_no_marks(tmp_path: Path) -> None:
    assert read_marks(tmp_path) == {}


def test_a_line_is_as_documented(tmp_path: Path) -> None:
    add_mark(tmp_path, "maths-000007", "good")
    line = orjson.loads(marks_file(tmp_path).read_bytes())
    assert set(line) == {"id", "mark", "at"}
    assert (line["id"], line["mark"]) == ("maths-000007", "good")


@given(steps=st.lists(st.tuples(st.sampled_from(["a-0", "a-1", "b-0"]), st.sampled_from([*MARKS, None])), max_size=5))
@settings(max_examples=20)
def test_the_last_mark_of_each_counts(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str | None]]
) -> None:
    folder = tmp_path_factory.mktemp("marks")
    for unit, mark in steps:
        add_mark(folder, unit, mark)
    last = dict(steps)
    assert read_marks(folder) == {unit: mark for unit, mark in last.items() if mark is not None}


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    marks_file(tmp_path).write_text('{"id": "a", "mark": "good"}\n{"id": "b", "mark": "fine"}\n')
    with pytest.raises(UsageError, match=r"marks\.jsonl:2"):
        read_marks(tmp_path)
