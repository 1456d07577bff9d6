"""Where the prompts, environments and recipes that come with synth lie: in the wheel, or in a checkout beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent


def shipped(folder: Literal["prompts", "envs", "personas", "recipes"]) -> Path:
    """The shipped folder of that name."""
    installed = _PACKAGE / "_shipped" / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder
