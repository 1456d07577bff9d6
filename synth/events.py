"""What a run tells whoever watches it. Listeners are called on the run's own thread and must return at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.messages import Json, Usage
from synth.models.progress import ModelState as ModelState
from synth.models.progress import Warned as Warned


@dataclass(frozen=True, slots=True)
class RunStarted:
    """``accepted`` is what an earlier invocation left per generator, when this one resumes."""

    run_dir: Path
    requested: Mapping[str, int]
    accepted: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CallFinished:
    model: str
    usage: Usage
    cost_usd: float | None
    source: str


@dataclass(frozen=True, slots=True)
class UnitDecided:
    """A unit was accepted (``gate`` is None) or rejected by a gate."""

    generator: str
    unit: str
    gate: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over. ``message`` says why it did not complete, and ``hint`` what to do next."""

    summary: Json
    example: Mapping[str, Any] | None
    message: str = ""
    hint: str = ""


Event = RunStarted | ModelState | CallFinished | UnitDecided | Warned | RunFinished
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of a run that nobody watches."""
