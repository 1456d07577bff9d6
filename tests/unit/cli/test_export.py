"""What ``synth export`` refuses, with what is there left as it was, and paths that nothing can be written to."""

from pathlib import Path

import pytest

from synth.errors import EXIT_USAGE

from .conftest import Synth

POLICY = "name: p\nversion: 1\nrules:\n  - {id: all, when: text, then: quarantine}\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--format", "messages", "--mark", "good"), "no row of runs/t has the mark good"),
        (("--format", "messages", "--policy", "policy.yaml"), "the policy p lets no row of runs/t out"),
        (("--format", "dpo"), "nothing can be written as dpo: 3 rows left out: dpo needs a rejected side"),
    ],
)
def test_an_export_of_nothing_replaces_nothing(synth: Synth, recipe: Path, words: tuple[str, ...], says: str) -> None:
    synth("run", str(recipe))
    Path("policy.yaml").write_text(POLICY)
    Path("keep.jsonl").write_text("kept")
    outcome = synth("export", "runs/t", "--to", "keep.jsonl", *words)
    assert outcome.code == EXIT_USAGE
    assert says in outcome.err
    assert "rows in keep.jsonl" not in outcome.err
    assert Path("keep.jsonl").read_text() == "kept"


def test_a_run_without_examples_is_not_exported(synth: Synth, recipe: Path) -> None:
    synth("run", str(recipe), "--set", "generate.raw.accept=no")
    outcome = synth("export", "runs/t", "--format", "messages", "--to", "x.jsonl")
    assert outcome.code == EXIT_USAGE
    assert "the run in runs/t has no examples" in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ("report", "runs/t", "--to", "file/x.html"),
        ("init", "file/x"),
        ("export", "runs/t", "--format", "messages", "--to", "file/x.jsonl"),
        ("export", "runs/t", "--format", "parquet", "--to", "file/x.parquet"),
    ],
)
def test_a_path_through_a_file_is_named(synth: Synth, recipe: Path, words: tuple[str, ...]) -> None:
    synth("run", str(recipe))
    Path("file").write_text("mine")
    outcome = synth(*words)
    assert outcome.code == EXIT_USAGE
    assert "cannot be written: file is no folder" in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ("report", "runs/t", "--to", "runs/t/run.sqlite"),
        ("export", "runs/t", "--format", "messages", "--to", "runs/t/marks.jsonl"),
        ("export", "runs/t", "--format", "messages", "--to", "runs/t", "--split", "train=0.5,rejected=0.5"),
        ("clean", "seeds.jsonl", "runs/t/rejected.jsonl"),
        ("dedup", "seeds.jsonl", "runs/t/pictures/x.jsonl", "--field", "question"),
    ],
)
def test_what_a_run_keeps_is_not_written_over(synth: Synth, recipe: Path, words: tuple[str, ...]) -> None:
    synth("run", str(recipe))
    before = {path: path.read_bytes() for path in Path("runs/t").rglob("*") if path.is_file()}
    outcome = synth(*words)
    assert outcome.code == EXIT_USAGE
    assert "is the run's own" in outcome.err
    assert {path: path.read_bytes() for path in Path("runs/t").rglob("*") if path.is_file()} == before


def test_a_report_replaces_nothing_but_a_page(synth: Synth, recipe: Path) -> None:
    synth("run", str(recipe))
    before = recipe.read_text()
    assert synth("report", "runs/t", "--to", str(recipe)).code == EXIT_USAGE
    assert recipe.read_text() == before
