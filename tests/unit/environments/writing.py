"""Environments written by a test."""

from __future__ import annotations

from pathlib import Path

import yaml

from synth.environments.spec import EnvironmentSpec, load_environment

IMPORTS = "from synth.environments import ToolError, invariant, tool\n\n"


def write_environment(folder: Path, tools: str = "", **declared: object) -> Path:
    """A folder with an ``env.yaml`` and, where ``tools`` is given, a ``tools.py`` that begins with the imports."""
    folder.mkdir(exist_ok=True)
    (folder / "env.yaml").write_text(
        yaml.safe_dump({"name": "made", "description": "For a test.", **declared}, sort_keys=False), encoding="utf-8"
    )
    if tools:
        (folder / "tools.py").write_text(IMPORTS + tools, encoding="utf-8")
    return folder


def environment_of(folder: Path, tools: str = "", **declared: object) -> EnvironmentSpec:
    return load_environment(write_environment(folder, tools, **declared))
