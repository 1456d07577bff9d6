from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from synth.cli.models import command
from synth.errors import UsageError
from synth.models.embedded import registry
from tests.unit.models.embedded.toy import install_parts, make_model


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNTH_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry with one small model, whose parts are installed; where it will lie."""
    model = make_model()
    monkeypatch.setattr(registry, "MODELS", (model,))
    monkeypatch.syspath_prepend(tmp_path)
    install_parts(model, tmp_path)
    return tmp_path / "models" / model.file


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_list_tells_every_model_and_whether_it_is_here(cache: Path) -> None:
    out = run("list").stdout
    for model in registry.MODELS:
        assert model.name in out
    assert "491 MB  Apache-2.0  no" in out
    assert str(cache / "models") in out


def test_list_as_json() -> None:
    rows = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in rows] == [model.name for model in registry.MODELS]
    assert [row["name"] for row in rows if row["default"]] == [registry.DEFAULT]
    assert not any(row["pulled"] for row in rows)


def test_pull_prints_the_path_and_tells_progress_on_stderr(toy: Path) -> None:
    result = run("pull", "toy")
    assert result.stdout == f"{toy}\n"
    assert result.stderr == "toy: pulling (3 MB)\n"
    assert toy.exists()
    assert run("pull", "toy").stderr == ""


def test_pull_of_an_unknown_name() -> None:
    with pytest.raises(UsageError, match="no embedded model is called 'toy'"):
        run("pull", "toy")
