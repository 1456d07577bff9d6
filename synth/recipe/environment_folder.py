"""Where the environment is that a recipe names: a folder with an ``env.yaml``."""

from __future__ import annotations

from pathlib import Path

from synth.shipped import shipped

ENVIRONMENT_FILE = "env.yaml"


def environment_folder(reference: str, base: Path) -> Path | None:
    """The folder that a recipe in ``base`` means, if there is one: a path, or a name in ``envs/`` there or shipped."""
    for candidate in (base / reference, base / "envs" / reference, shipped("envs") / reference):
        if (candidate / ENVIRONMENT_FILE).is_file():
            return candidate.resolve()
    return None


def known_environments(base: Path) -> list[str]:
    """The names that a recipe in ``base`` can use."""
    roots = (base / "envs", shipped("envs"))
    return sorted({found.parent.name for root in roots for found in root.glob(f"*/{ENVIRONMENT_FILE}")})
