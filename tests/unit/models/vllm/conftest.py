from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that tells the fake vLLM how to behave."""
    package = tmp_path / "site" / "vllm" / "entrypoints" / "openai"
    package.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("fake_api_server.py"), package / "api_server.py")
    folder = tmp_path / "fake"
    folder.mkdir()
    monkeypatch.setenv("FAKE_VLLM", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return folder


def starts(fake: Path) -> list[dict[str, Any]]:
    """The arguments and part of the environment of each start so far."""
    return [json.loads(line) for line in (fake / "starts").read_text().splitlines()]
