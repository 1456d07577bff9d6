import json
import tempfile
from pathlib import Path

import pytest

from synth.errors import EXIT_SHORT

from .conftest import RECIPE, Synth


@pytest.fixture(autouse=True)
def temporary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders go, to see that none is left."""
    place = folder / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def test_examples_are_shown_and_not_kept(synth: Synth, recipe: Path, temporary: Path) -> None:
    outcome = synth("preview", str(recipe), "-n", "2")
    assert outcome.code == 0
    assert outcome.out.count("· custom · seed") == 2
    assert "raw-000000" in outcome.out
    assert "    Say " in outcome.out
    assert "2 accepted; took: 2 calls" in outcome.err
    assert not Path("runs").exists()
    assert list(temporary.iterdir()) == []
    assert str(temporary) not in outcome.err


def test_they_are_those_that_a_run_begins_with(synth: Synth, recipe: Path) -> None:
    shown = [json.loads(line) for line in synth("preview", str(recipe), "--json", "--quiet").out.splitlines()]
    synth("run", str(recipe))
    assert shown == [json.loads(line) for line in Path("runs/t/dataset/raw.jsonl").read_text().splitlines()]


def test_generators_take_turns_and_none_makes_more_than_its_count(synth: Synth, recipe: Path) -> None:
    second = RECIPE[RECIPE.index("  - kind") : RECIPE.index("diversity")].replace("id: raw", "id: more")
    recipe.write_text(
        RECIPE.replace('diversity: "off"', "") + second.replace("count: 3", "count: 1") + "diversity: off\n"
    )

    def ids(number: str) -> list[str]:
        out = synth("preview", str(recipe), "-n", number, "--json", "--quiet").out
        return [json.loads(line)["generator"] for line in out.splitlines()]

    assert ids("1") == ["raw"]
    assert ids("2") == ["raw", "more"]
    assert ids("6") == ["raw", "raw", "raw", "more"]


def test_what_was_rejected_is_shown_with_why(synth: Synth, recipe: Path) -> None:
    outcome = synth("preview", str(recipe), "--set", "generate.raw.accept=no")
    assert outcome.code == EXIT_SHORT
    assert "rejected by accept" in outcome.out
    assert "why: accept rendered to 'no'" in outcome.out
    assert "synth: short: the attempts ran out" in outcome.err
