import json
from pathlib import Path

from .conftest import Synth


def test_the_plan_shows_amounts_and_the_first_prompts(synth: Synth, recipe: Path) -> None:
    outcome = synth("plan", str(recipe), "--count", "7", "--set", "budget.usd=2")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[1].split()[:4] == ["raw", "7", "1", "7"]
    assert "A budget ends it at $2.00." in outcome.out
    assert "draft · to teacher · up to 1,024 tokens" in outcome.out
    assert "    Say " in outcome.out
    assert not Path("runs").exists()


def test_the_plan_in_json(synth: Synth, recipe: Path) -> None:
    data = json.loads(synth("plan", str(recipe), "--json").out)
    assert data["calls"] == data["generators"]["raw"]["calls"] == 3
    assert data["prompts"]["raw"][0]["role"] == "draft"


def test_a_finished_run_shows_the_estimate_beside_what_it_took(synth: Synth, recipe: Path) -> None:
    said = synth("run", str(recipe)).err
    assert "  took: 3 calls, " in said
    assert "  planned: 3 calls, " in said
    summary = json.loads(Path("runs/t/summary.json").read_text())
    assert summary["estimate"]["calls"] == 3
    synth("run", str(recipe), "--count", "5")
    assert json.loads(Path("runs/t/summary.json").read_text())["estimate"]["calls"] == 5
