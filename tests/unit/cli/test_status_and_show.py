import json
from pathlib import Path

import pytest

from synth.errors import EXIT_USAGE

from .conftest import Outcome, Synth


@pytest.fixture
def ran(synth: Synth, recipe: Path) -> Outcome:
    """A run of three examples, with two attempts rejected on the way."""
    return synth("run", str(recipe), "--set", "generate.raw.accept={{ unit.index % 3 }}".replace("{{", "'{{") + "'")


def test_status_says_what_the_summary_says(synth: Synth, ran: Outcome) -> None:
    assert ran.code == 0
    outcome = synth("status", "runs/t")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0] == "runs/t: complete: 3 of 3"
    data = json.loads(synth("status", "runs/t", "--json").out)
    summary = json.loads(Path("runs/t/summary.json").read_text())
    assert data == summary | {"process": None}


def test_status_of_a_killed_run(synth: Synth, ran: Outcome) -> None:
    import sqlite3

    with sqlite3.connect("runs/t/run.sqlite") as db:
        db.execute("DELETE FROM meta")
    db.close()
    outcome = synth("status", "runs/t")
    assert "runs/t: unfinished: 3 of 3" in outcome.out
    assert "goes on where it stopped" in outcome.out


def test_show_an_example_with_the_calls_behind_it(synth: Synth, ran: Outcome) -> None:
    outcome = synth("show", "runs/t", "raw-1")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("raw-000001 · custom · seed seed-00000")
    assert "accepted" in outcome.out.splitlines()[0]
    assert "call 1 of 1 · draft.0 · to teacher · " in outcome.out
    assert "    Say " in outcome.out


def test_show_a_rejected_attempt_says_why(synth: Synth, ran: Outcome) -> None:
    outcome = synth("show", "runs/t", "raw-000000")
    assert "rejected by accept" in outcome.out.splitlines()[0]
    assert outcome.out.splitlines()[1] == "  why: accept rendered to '0'"
    data = json.loads(synth("show", "runs/t", "raw-000000", "--json").out)
    assert data["verdict"] == "rejected by accept"
    assert data["row"]["gate"] == "accept"
    assert data["calls"][0]["request"]["messages"][0]["role"] == "user"


def test_show_without_an_id_lists(synth: Synth, ran: Outcome) -> None:
    listed = synth("show", "runs/t").out.splitlines()
    assert [line.split()[0] for line in listed[1:]] == [f"raw-00000{index}" for index in range(5)]
    rejected = synth("show", "runs/t", "--rejected", "--json").out.splitlines()
    assert [json.loads(line)["verdict"] for line in rejected] == ["rejected by accept", "rejected by accept"]
    assert len(synth("show", "runs/t", "-n", "1").out.splitlines()) == 2


def test_what_is_not_there_is_said_with_what_is(synth: Synth, ran: Outcome) -> None:
    outcome = synth("show", "runs/t", "rav-1")
    assert (outcome.code, outcome.out) == (EXIT_USAGE, "")
    assert "did you mean 'raw'?" in outcome.err
    assert synth("status", "runs/x").code == EXIT_USAGE
