"""Seeds are read from every format, and a row that cannot be used is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import RecipeError
from synth.recipe.schema import SeedsSpec
from synth.seeds import Need, read_seeds, require_fields


def problems(path: Path, **spec: object) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        read_seeds(SeedsSpec.model_validate({"path": path.name, **spec}), path.parent)
    return [str(found).removeprefix(f"{path.parent}/") for found in caught.value.problems]


def test_jsonl_with_renamed_columns_and_generated_ids(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(
        '\ufeff{"q": "1+1?", "a": 2}\n\n{"id": "b", "q": "2+2?", "a": 4}\n', encoding="utf-8"
    )
    spec = SeedsSpec(path="s.jsonl", fields={"question": "q", "answer": "a"})
    first, second = read_seeds(spec, tmp_path)
    assert (first.id, first.fields, first.line) == ("seed-000001", {"question": "1+1?", "answer": 2}, 1)
    assert (second.id, second.line) == ("b", 3)
    require_fields([first, second], [Need("question", "generate.0 (cot)")], file=tmp_path / "s.jsonl")


def test_broken_json_is_named_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"q": 1}\n' * 6 + '{"q": 1, "a"}\n', encoding="utf-8")
    assert problems(path) == ["s.jsonl:7:13: broken JSON: unexpected character, expected ':' after key"]
