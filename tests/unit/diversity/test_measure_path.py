"""Measuring files that users have."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from synth.errors import RecipeError, UsageError
from synth.export.formats.registry import FORMATS, records_of
from synth.measure import measure_path
from synth.messages import Json

CHATS: list[list[Json]] = [
    [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    for asked, said in (("Where is my parcel?", "It is on its way."), ("Can I return a book?", "Yes, you can."))
]
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": "x"}'}}
TOOLS: list[Json] = [{"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {}}}]
WITH_TOOLS: list[Json] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Find x."},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "[1]", "tool_call_id": "c1"},
    {"role": "assistant", "content": "It is 1."},
]


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "dataset" / "rows.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def dump(row: Json) -> str:
    return orjson.dumps(row).decode()


def test_rows_without_a_text_are_left_out_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path, '{"text": "a b"}', '{"text": " "}', "", '{"text": null}', '{"x": 1}', '{"text": "a c"}')
    measured = measure_path(path, embedder="off")["rows"]
    assert (measured["texts"], measured["empty"], measured["length"]["mean"]) == (2, 3, 2.0)


def test_a_field_that_no_row_has(tmp_path: Path) -> None:
    path = write(tmp_path, '{"text": "a b"}', '{"text": "c"}')
    with pytest.raises(UsageError, match="has the field 'txt'") as caught:
        measure_path(path, field="txt", embedder="off")
    assert caught.value.hint == "did you mean 'text'?"


def test_one_text_is_like_no_other(tmp_path: Path) -> None:
    assert measure_path(write(tmp_path, '{"text": "a b"}'), embedder="off")["rows"]["self_bleu"] is None


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"rows\.jsonl:2"):
        measure_path(write(tmp_path, '{"text": "a"}', "{broken"), embedder="off")


def test_a_rows_file_changed_by_hand(tmp_path: Path) -> None:
    path = write(tmp_path, '{"text": "a"}', "{broken")
    (tmp_path / "recipe.lock.yaml").touch()
    with pytest.raises(UsageError, match="is not what the run wrote"):
        measure_path(path, embedder="off")


def test_nothing_to_be_against_without_an_embedder(tmp_path: Path) -> None:
    path = write(tmp_path, '{"text": "a"}')
    with pytest.raises(UsageError, match="--against compares meanings"):
        measure_path(path, against=path, embedder="off")


@pytest.mark.parametrize("tools", [False, True])
@pytest.mark.parametrize("name", [*FORMATS, "kto"])
def test_a_dataset_measures_the_same_in_every_format(tmp_path: Path, name: str, tools: bool) -> None:
    rows: list[Json] = [{"messages": messages, "rejected": "I do not know."} for messages in CHATS]
    if tools and name not in {"alpaca", "dpo_standard"}:  # which cannot carry them
        rows.append({"messages": WITH_TOOLS, "rejected": "It is 2.", "tools": TOOLS})
    exported = write(tmp_path, *(dump(record) for row in rows for record in records_of(row, name)))
    own = write(tmp_path / "own", *map(dump, rows))
    assert measure_path(exported, embedder="off") == measure_path(own, embedder="off")


def test_a_seed_says_its_texts_but_not_its_id(tmp_path: Path) -> None:
    path = write(tmp_path, '{"id": "a-1", "premise": "one two", "hypothesis": "three"}')
    assert measure_path(path, embedder="off")["rows"]["length"]["mean"] == 3


def test_rows_may_share_an_id(tmp_path: Path) -> None:
    row = '{"id": "a", "text": "a b"}'
    assert measure_path(write(tmp_path, row, row), embedder="off")["rows"]["texts"] == 2


def test_a_file_without_rows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no rows"):
        measure_path(write(tmp_path), embedder="off")
