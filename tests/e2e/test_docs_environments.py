"""What ``docs/environments.md`` shows works as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from synth.environments.check import check_environment
from synth.environments.spec import find_environment, load_environment

TEXT = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
FILE = re.compile(r"^```\w+\n(?:#|<!--) (\S+\.\w+)(?: -->)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILE.findall(TEXT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_every_file_is_there() -> None:
    assert [name for name, _ in FILE.findall(TEXT)] == [
        "envs/desk/env.yaml",
        "envs/desk/tools.py",
        "envs/desk/policy.md",
        "desk.yaml",
        "envs/harbour/env.yaml",
        "envs/harbour/tools.yaml",
        "services.yaml",
    ]


@pytest.mark.parametrize("name", ["desk", "harbour"])
async def test_its_environments_are_fit(folder: Path, name: str) -> None:
    check = await check_environment(load_environment(find_environment(name, folder)), calls=300)
    assert check.problems == []
    assert not [note for note in check.notes if "never succeeded" in note or "nothing is said" in note]
    if name == "desk":
        assert "nobody has more than two tools" in check.broken_invariants


@pytest.mark.parametrize("recipe", ["desk.yaml", "services.yaml"])
def test_its_recipes_are_right(folder: Path, recipe: str) -> None:
    command = [sys.executable, "-m", "synth", "validate", recipe]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ, check=False)
    assert done.returncode == 0, done.stderr
