from pathlib import Path

from synth.errors import EXIT_SHORT, EXIT_USAGE

from .conftest import Synth


def test_nothing_goes_to_stdout(synth: Synth, recipe: Path) -> None:
    outcome = synth("run", str(recipe))
    assert (outcome.code, outcome.out) == (0, "")
    assert "t → runs/t: raw 3" in outcome.err
    assert "complete: 3 of 3" in outcome.err
    assert Path("runs/t/dataset/raw.jsonl").read_text().count("\n") == 3


def test_quiet_says_nothing_of_a_run_that_completes(synth: Synth, recipe: Path) -> None:
    outcome = synth("run", str(recipe), "--quiet", "--count", "2", "--run-dir", "here")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert Path("here/dataset/raw.jsonl").read_text().count("\n") == 2


def test_a_run_that_ends_short_says_why_and_how_to_go_on(synth: Synth, recipe: Path) -> None:
    words = ("run", str(recipe), "--set", "generate.raw.accept=no")
    outcome = synth(*words)
    assert outcome.code == EXIT_SHORT
    assert "short: 0 of 3" in outcome.err
    assert "why: the attempts ran out: 'raw' has 0 of 3 after 15 attempts (15 lost to accept" in outcome.err
    assert "to resume: synth run recipe.yaml --set generate.raw.accept=no" in outcome.err
    quiet = synth(*words, "--quiet")
    assert quiet.code == EXIT_SHORT
    assert quiet.err.splitlines()[0].startswith("synth: short: the attempts ran out")


def test_json_lines_tell_every_event(synth: Synth, recipe: Path) -> None:
    lines = synth("run", str(recipe), "--json").err.splitlines()
    assert '"event":"run_started"' in lines[0]
    assert '"event":"run_finished"' in lines[-1]
    assert sum('"event":"call_finished"' in line for line in lines) == 3
    assert sum('"event":"unit_decided"' in line for line in lines) == 3


def test_quiet_and_json_do_not_go_together(synth: Synth, recipe: Path) -> None:
    outcome = synth("run", str(recipe), "--quiet", "--json")
    assert outcome.code == EXIT_USAGE
    assert "do not go together" in outcome.err


def test_resume_never_and_require(synth: Synth, recipe: Path) -> None:
    required = synth("run", str(recipe), "--resume", "require")
    assert required.code == EXIT_USAGE
    assert "runs/t holds no run to resume" in required.err
    assert synth("run", str(recipe)).code == 0
    never = synth("run", str(recipe), "--resume", "never")
    assert never.code == EXIT_USAGE
    assert "runs/t already holds a run" in never.err
    again = synth("run", str(recipe), "--resume", "require", "--count", "5")
    assert again.code == 0
    assert "raw 5, 3 of them there already" in again.err
