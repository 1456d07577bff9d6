"""What is told to whoever watches a model being made ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model is being made ready: ``phase`` is a few words, ``done`` and ``total`` are bytes where known."""

    model: str
    phase: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should know, said once."""

    message: str


Report = Callable[[ModelState | Warned], None]
"""Called from the thread that does the work, a few times a second; must return at once."""


def ignore(event: ModelState | Warned) -> None:
    """The report of work that nobody watches."""
