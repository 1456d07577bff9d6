"""Progress for machines: one JSON object a line for every event."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import orjson

from synth.events import Event, RunFinished
from synth.progress.ending import resumable


class Writes(Protocol):
    def write(self, text: str, /) -> int: ...
    def flush(self) -> None: ...


class JsonProgress:
    """A listener. Each line has ``event`` (``run_started``, ``call_finished``, …), ``time`` (seconds since the first)
    and the fields of that event in :mod:`synth.events`. ``resume`` is the command that resumes the run: the last hint
    of one that would go on.
    """

    def __init__(self, stream: Writes, *, resume: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._resume = resume
        self._clock = clock
        self._started = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    def __call__(self, event: Event) -> None:
        data: dict[str, Any] = {"event": event_name(type(event)), "time": round(self._clock() - self._started, 3)}
        data |= {field.name: getattr(event, field.name) for field in fields(event)}
        if isinstance(event, RunFinished) and self._resume and resumable(event):
            data["hint"] = "; ".join(filter(None, [event.hint, f"to resume: {self._resume}"]))
        self._stream.write(orjson.dumps(data, default=_plain).decode() + "\n")
        self._stream.flush()


def event_name(event: type[Event]) -> str:
    """``UnitDecided`` is ``unit_decided``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in event.__name__).lstrip("_")


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} in an event")
