"""Measuring files that users have."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import RecipeError, UsageError
from synth.measure import measure_path


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "dataset" / "rows.jsonl"
    path.parent.mkdir()
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


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
