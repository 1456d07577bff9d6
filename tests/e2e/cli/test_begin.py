"""From nothing to examples, as docs/commands.md tells it, on a scripted model in place of the embedded one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Folder, environment

DOCS = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.fixture
def begun(folder: Folder) -> Folder:
    assert folder.synth("init", "my-set", "--make", "steps").returncode == 0
    folder.edit("my-set/recipe.yaml", "provider: embedded", "provider: scripted")
    folder.edit("my-set/recipe.yaml", "ratio() < 0.5", "ratio() <= 1")  # an echo repeats everything
    folder.edit("my-set/recipe.yaml", "budget:", 'diversity: "off"  # an echo says little that is new\n\nbudget:')
    return folder


def test_the_commands_in_their_order(begun: Folder) -> None:
    told = DOCS.partition("## From nothing")[2].partition("```console\n")[2].partition("```")[0]
    commands = [line.partition("#")[0].split()[2:] for line in told.splitlines()]
    assert [words[0] for words in commands] == ["init", "validate", "plan", "preview", "run"]
    for words in commands[1:]:
        done = begun.synth(*words)
        assert (done.returncode, words) == (0, words), done.stderr
    assert "complete: 8 of 8" in done.stderr


def test_the_python_example(begun: Folder) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=begun.path,
        env=os.environ | environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("complete 5\n")
    assert done.stdout.count("You answer customers of an online shop") == 5
    assert "complete: 5 of 5" in done.stderr


def test_a_run_that_was_made_from_another_folder_is_not_paid_for_again(begun: Folder) -> None:
    inside = Folder.__new__(Folder)
    inside.path = begun.path / "my-set"
    assert inside.synth("run", "recipe.yaml").returncode == 0
    again = begun.synth("run", "my-set/recipe.yaml")
    assert again.returncode == 2
    assert "my-set/runs/my-set holds a run of that name, and runs/my-set would begin one anew" in again.stderr
    assert begun.synth("run", "my-set/recipe.yaml", "--run-dir", "my-set/runs/my-set").returncode == 0
    assert begun.synth("run", "my-set/recipe.yaml", "--run-dir", "runs/my-set").returncode == 0
