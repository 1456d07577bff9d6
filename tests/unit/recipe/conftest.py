"""A folder to work in, so that messages name files as a user in that folder sees them."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("NOPE", raising=False)
    (tmp_path / "s.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n')
    return tmp_path
