from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.models.embedded.toy import Events, World, make_model


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(make_model(), tmp_path / "site", tmp_path / "index", tmp_path / "cache", monkeypatch)
    made.site.mkdir()
    made.index.mkdir()
    made.pin()
    monkeypatch.syspath_prepend(made.site)
    monkeypatch.setenv("SYNTH_CACHE", str(made.cache))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.index))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return made


@pytest.fixture
def events() -> Events:
    return Events()
