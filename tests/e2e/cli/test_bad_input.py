"""Everything that users get wrong ends in one clear message and the right exit code, never in a traceback."""

import errno
import resource
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synth.cli.main import main
from synth.errors import EXIT_FAILED, EXIT_USAGE, RunError
from synth.job import run
from synth.recipe.load import load_recipe

from .conftest import RECIPE, SEEDS, Folder

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{this}: &{this} [*{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}]\n"
    for last, this in zip("abcdefgh", "bcdefghi", strict=True)
)


def write(name: str, content: str | bytes) -> Callable[[Folder], None]:
    return lambda folder: folder.write(name, content)


def edit(old: str, new: str) -> Callable[[Folder], None]:
    return lambda folder: folder.edit("recipe.yaml", old, new)


def seeds(line: int, text: str) -> Callable[[Folder], None]:
    lines = SEEDS.splitlines()
    lines[line - 1] = text
    return write("seeds.jsonl", "\n".join(lines) + "\n")


def column(folder: Folder) -> None:
    folder.edit("recipe.yaml", "{path: seeds.jsonl}", "{path: seeds.jsonl, fields: {question: frage}}")


CASES: dict[str, tuple[Callable[[Folder], None], str]] = {
    "empty": (write("recipe.yaml", ""), "recipe.yaml: the file is empty"),
    "binary": (write("recipe.yaml", b"\x7fELF\0\0\1" * 50), "recipe.yaml: this is a binary file, not a recipe"),
    "10 MB": (write("recipe.yaml", "# big\n" * 1_800_000), "recipe.yaml: a recipe has at most 1 MiB"),
    "bomb": (write("recipe.yaml", BOMB), "the aliases expand to more than 50,000 values"),
    "tabs": (edit("  teacher:", "\tteacher:"), "recipe.yaml:3:1: a tab is used for indentation"),
    "unknown kind": (edit("kind: custom", "kind: custmo"), "recipe.yaml:6:11: unknown kind 'custmo'"),
    "count 0": (edit("count: 40", "count: 0"), "recipe.yaml:8:12: 'count' must be at least 1, got 0"),
    "count -1": (edit("count: 40", "count: -1"), "recipe.yaml:8:12: 'count' must be at least 1, got -1"),
    "seeds missing": (edit("path: seeds.jsonl", "path: sedes.jsonl"), "did you mean 'seeds.jsonl'?"),
    "seeds empty": (write("seeds.jsonl", ""), "seeds.jsonl: the file is empty"),
    "broken JSON on line 7": (seeds(7, '{"question": "Que'), "seeds.jsonl:7:"),
    "column missing": (column, "there is no column 'frage'"),
    "1 MB in one field": (
        seeds(3, '{"question": "' + "x" * 1_000_000 + '"}'),
        "seeds.jsonl:3:1: the field 'question' has 1,000 kB",
    ),
    "undefined variable": (edit("Judge {{ unit.index }}", "Judge {{ unitt.index }}"), "'unitt'"),
    "undefined field": (edit("Say {{ seed.question }}", "Say {{ seed.qestion }}"), "seed.qestion"),
    "internals": (edit("Say {{ seed.question }}", "Say {{ ''.__class__.__mro__ }}"), "'__class__'"),
}


@pytest.mark.parametrize("command", ["run", "validate"])
@pytest.mark.parametrize("case", CASES)
def test_a_wrong_recipe_or_seeds_file(folder: Folder, case: str, command: str) -> None:
    change, message = CASES[case]
    change(folder)
    done = folder.synth(command, "recipe.yaml")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (EXIT_USAGE, "")
    assert len(done.stderr.splitlines()) <= 8
    assert not folder.path.joinpath("runs").exists()


def test_no_such_recipe_names_the_one_that_was_meant(folder: Folder) -> None:
    done = folder.synth("run", "recpie.yaml")
    assert done.returncode == EXIT_USAGE
    assert done.stderr == "recpie.yaml: there is no such recipe\n  did you mean 'recipe.yaml'?\n"


def test_a_seed_without_a_value_that_a_kind_needs(folder: Folder) -> None:
    generator = RECIPE[RECIPE.index("  - kind") : RECIPE.index("diversity")]
    folder.edit("recipe.yaml", generator, "  - {kind: cot, count: 3}\n")
    folder.edit("seeds.jsonl", '"Question 5?"', "null")
    done = folder.synth("run", "recipe.yaml")
    assert done.returncode == EXIT_USAGE
    assert "seeds.jsonl:5:1: the field 'question' is null, needed by generate.0 (cot)" in done.stderr


def test_everything_wrong_is_said_at_once(folder: Folder) -> None:
    folder.edit("recipe.yaml", "count: 40", "count: 0")
    folder.edit("recipe.yaml", "concurrency: 4", "concurency: 4")
    folder.edit("recipe.yaml", "as: verdict,", "as: verdict, agent: judge,")
    done = folder.synth("validate", "recipe.yaml")
    told = [line for line in done.stderr.splitlines() if line.startswith("recipe.yaml:")]
    assert [line.partition(": ")[2].split("'")[1] for line in told] == ["concurency", "count", "judge"]


def test_a_folder_that_cannot_be_written(folder: Folder) -> None:
    # Below a file there can be no folder, not even for root.
    done = folder.synth("run", "recipe.yaml", "--run-dir", "seeds.jsonl/here")
    assert done.returncode == EXIT_USAGE
    assert done.stderr.splitlines()[-2:] == [
        "synth: seeds.jsonl/here cannot be written: seeds.jsonl is no folder",
        "  choose a folder you may write to",
    ]


def test_a_folder_that_holds_another_recipes_run(folder: Folder) -> None:
    assert folder.synth("run", "recipe.yaml", "--count", "2").returncode == 0
    folder.edit("recipe.yaml", "Say {{", "Tell {{")
    done = folder.synth("run", "recipe.yaml", "--count", "2")
    assert done.returncode == EXIT_USAGE
    assert "runs/t was made by another recipe; what changed: generate.0.steps.0.prompt" in done.stderr
    assert "give another --run-dir to begin anew" in done.stderr


def test_two_runs_in_one_folder_at_once(folder: Folder) -> None:
    folder.edit("answers.yaml", "delay: 0.01", "delay: 0.3")
    with folder.start("run", "recipe.yaml") as first:
        folder.wait_for_calls(1)
        second = folder.synth("run", "recipe.yaml")
        assert second.returncode == EXIT_USAGE
        assert f"another synth (process {first.pid}) is at work in runs/t" in second.stderr


def test_a_disk_that_takes_no_more(folder: Folder) -> None:
    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000))

    done = folder.synth("run", "recipe.yaml", "--count", "400", preexec=limit_files)
    assert done.returncode == EXIT_FAILED
    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr
    again = folder.synth("run", "recipe.yaml", "--count", "400")
    assert (again.returncode, "complete: 400 of 400" in again.stderr) == (0, True)


def test_a_full_disk_under_the_run_store(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connect = sqlite3.connect

    def connect_to_a_full_disk(*arguments: Any, **options: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(*arguments, **options)
        db.execute("PRAGMA max_page_count = 20")  # SQLite then says what it says of a full disk
        return db

    monkeypatch.setattr(sqlite3, "connect", connect_to_a_full_disk)
    monkeypatch.chdir(folder.path)
    monkeypatch.setattr(sys, "argv", ["synth", "run", "recipe.yaml"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == EXIT_FAILED
    assert "the disk that holds runs/t is full" in capsys.readouterr().err


def test_a_full_disk_under_the_dataset(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.chdir(folder.path)
    loaded = load_recipe(Path("recipe.yaml"), count=3)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", no_space)
        with pytest.raises(RunError, match="the disk is full"):
            run(loaded)
    assert run(loaded).ending.status == "complete"
