"""What a run tells whoever watches it. Listeners are called on the run's own thread and must return at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.messages import Json, Usage
from synth.models.progress import ModelState as ModelState
from synth.models.progress import Warned as Warned


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run folder is open. ``requested``, ``accepted`` and ``attempts`` are by generator, in the recipe's order.

    ``accepted``, ``attempts``, ``usage`` and ``cost_usd`` are what earlier invocations left, when this one resumes.
    """

    name: str
    run_dir: Path
    requested: Mapping[str, int]
    accepted: Mapping[str, int]
    attempts: Mapping[str, int]
    usage: Usage
    cost_usd: float


@dataclass(frozen=True, slots=True)
class CallFinished:
    """A model's answer is in the journal. ``source`` is ``sent``, ``cache`` or ``replayed``: only the first costs.

    ``cost_usd`` is None where the model has no known price; ``seconds`` is from send to answer.
    """

    generator: str
    model: str
    usage: Usage
    cost_usd: float | None
    seconds: float
    source: str


@dataclass(frozen=True, slots=True)
class UnitDecided:
    """A unit was accepted (``gate`` is None) or rejected by a gate."""

    generator: str
    unit: str
    gate: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stopping:
    """The run ends before it is complete, for the reason given; what is in flight is being put away."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over. ``message`` says why it did not complete, and ``hint`` what to do next;
    ``final``: to resume it would change nothing.

    ``example`` is the first accepted row, or None.
    """

    run_dir: Path
    summary: Json
    example: Mapping[str, Any] | None
    message: str = ""
    hint: str = ""
    final: bool = False


Event = RunStarted | ModelState | CallFinished | UnitDecided | Stopping | Warned | RunFinished
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of a run that nobody watches."""


def guarded(listener: Listener) -> Listener:
    """``listener``, whose failure ends no run: what it raises is logged, and it is not called again."""
    told: list[Listener] = [listener]

    def listen(event: Event) -> None:
        try:
            told[0](event)
        except Exception:  # whatever a listener of the user's raises is its own failure, not the run's
            told[0] = ignore
            logging.getLogger(__name__).exception("a listener failed at %s; the run goes on without it", event)

    return listen
