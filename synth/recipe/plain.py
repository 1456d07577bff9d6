"""Looking at plain data that may have any shape."""

from __future__ import annotations

from typing import Any

from synth.messages import Json


def mapping(value: Any) -> Json:
    """``value`` where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """``value`` where it is a list, else an empty one."""
    return value if isinstance(value, list) else []
