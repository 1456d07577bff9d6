from pathlib import Path

import pytest

from synth.errors import EXIT_INTERRUPTED, EXIT_SHORT, EXIT_USAGE

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
    short = synth("run", str(recipe), "--json", "--run-dir", "b", "--set", "generate.raw.accept=no").err.splitlines()
    assert 'to resume: synth run recipe.yaml --run-dir b --set generate.raw.accept=no"' in short[-1]


@pytest.mark.parametrize("options", [(), ("--quiet",), ("--json",)])
def test_a_run_that_is_interrupted_too_soon_says_how_to_go_on(
    synth: Synth, recipe: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synth.job.run", interrupted)
    outcome = synth("run", str(recipe), *options)
    assert outcome.code == EXIT_INTERRUPTED
    assert "interrupted" in outcome.err
    assert "to resume: synth run recipe.yaml" in outcome.err


def test_quiet_and_json_do_not_go_together(synth: Synth, recipe: Path) -> None:
    outcome = synth("run", str(recipe), "--quiet", "--json")
    assert outcome.code == EXIT_USAGE
    assert "do not go together" in outcome.err


def test_resume_never_and_require(synth: Synth, recipe: Path) -> None:
    required = synth("run", str(recipe), "--resume", "require")
    assert required.code == EXIT_USAGE
    assert "runs/t holds no run to resume" in required.err
    assert not Path("runs").exists()
    assert synth("run", str(recipe)).code == 0
    never = synth("run", str(recipe), "--resume", "never")
    assert never.code == EXIT_USAGE
    assert "runs/t already holds a run" in never.err
    again = synth("run", str(recipe), "--resume", "require", "--count", "5")
    assert again.code == 0
    assert "raw 5, 3 of them there already" in again.err


def files(folder: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["README.md", "dataset/mine.jsonl", "pictures/map.png", "summary.json"])
def test_files_of_no_run_are_not_replaced(synth: Synth, recipe: Path, name: str) -> None:
    mine = Path("project", name)
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    refused = synth("run", str(recipe), "--run-dir", "project")
    assert refused.code == EXIT_USAGE
    assert f"project holds files of no run, which a run would replace: {Path(name).parts[0]}" in refused.err
    assert files("project") == {str(mine): b"mine"}


@pytest.mark.parametrize("left", [["run.lock"], ["run.lock", "run.sqlite"], ["recipe.lock.yaml", "README.md"]])
def test_what_a_run_that_was_killed_at_once_left_is_gone_on_with(synth: Synth, recipe: Path, left: list[str]) -> None:
    Path("here").mkdir()
    for name in left:
        Path("here", name).touch()
    assert synth("run", str(recipe), "--run-dir", "here", "--quiet").code == 0


def test_a_count_below_what_is_there_changes_nothing(synth: Synth, recipe: Path) -> None:
    synth("run", str(recipe))
    before = files("runs/t") | {"runs/t/run.sqlite": b""}  # each that opens it counts in its header
    refused = synth("run", str(recipe), "--count", "2")
    assert refused.code == EXIT_USAGE
    assert "the run has 3 accepted examples of 'raw' already, more than its count 2" in refused.err
    assert files("runs/t") | {"runs/t/run.sqlite": b""} == before


def test_a_run_without_its_lock_is_not_gone_on_with(synth: Synth, recipe: Path) -> None:
    synth("run", str(recipe))
    Path("runs/t/recipe.lock.yaml").unlink()
    refused = synth("run", str(recipe), "--count", "5")
    assert refused.code == EXIT_USAGE
    assert "runs/t/recipe.lock.yaml is missing" in refused.err
    assert not Path("runs/t/recipe.lock.yaml").exists()


def test_nothing_is_begun_where_a_price_is_missing(synth: Synth, recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("scripted", "openai, base_url: 'http://127.0.0.1:1/v1', model: x"))
    refused = synth("run", str(recipe), "--set", "budget.usd=1")
    assert refused.code == EXIT_USAGE
    assert "budget.usd needs a price for models.teacher" in refused.err
    assert not Path("runs").exists()
