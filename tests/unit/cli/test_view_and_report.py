"""``synth report`` and what ``synth view`` refuses; the page itself is tested in tests/unit/view and tests/browser."""

from pathlib import Path

from tests.unit.cli.conftest import Synth


def test_a_report_is_one_file(synth: Synth, finished: Path, folder: Path) -> None:
    outcome = synth("report", str(finished), "--to", "sent.html")
    assert (outcome.code, outcome.out) == (0, "sent.html\n")
    assert (folder / "sent.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_report_is_beside_the_run_by_default(synth: Synth, recipe: Path, folder: Path) -> None:
    assert synth("run", str(recipe), "--quiet").code == 0
    outcome = synth("report", "runs/t")
    assert outcome.out.strip() == str(Path("runs/t/report.html"))
    assert (folder / "runs" / "t" / "report.html").exists()


def test_where_there_is_no_run_both_say_so(synth: Synth, folder: Path) -> None:
    for command in ("view", "report"):
        outcome = synth(command, "nowhere")
        assert outcome.code == 2
        assert "there is no folder nowhere" in outcome.err
