from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth.models.tokenizer import find_counter
from synth.models.tokens import estimate_tokens
from synth.recipe.models import ModelSpec

WORDS = {
    "version": "1.0",
    "added_tokens": [],
    "pre_tokenizer": {"type": "Whitespace"},
    "model": {"type": "WordLevel", "vocab": {"one": 0, "two": 1, "?": 2}, "unk_token": "?"},
}


def test_a_folder_with_a_tokenizer_counts_exactly(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "tokenizer.json").write_text(json.dumps(WORDS))
    count = find_counter(ModelSpec(provider="vllm", model="./model"), tmp_path)
    assert count("one two one " * 40) == 120


@pytest.mark.parametrize("content", [None, "no tokenizer at all"])
def test_everything_else_is_estimated(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "model").mkdir()
    if content is not None:
        (tmp_path / "model" / "tokenizer.json").write_text(content)
    count = find_counter(ModelSpec(provider="vllm", model="model"), tmp_path)
    assert count("one two one " * 40) == estimate_tokens("one two one " * 40)
