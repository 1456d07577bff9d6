"""Progress in plain lines, for a log or a pipe: rare, and every warning."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console

from synth.events import Event, ModelState, RunFinished, RunStarted, Stopping, Warned
from synth.progress.ending import print_ending
from synth.progress.live import totals
from synth.progress.tally import Tally
from synth.progress.words import format_duration, format_reasons

_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 60.0


class PlainProgress:
    """A listener. At most one line in five seconds, later in up to sixty.

    ``resume`` is the command that resumes the run; without ``ending`` nothing is said of how it ended.
    """

    def __init__(
        self,
        console: Console,
        *,
        resume: str = "",
        ending: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._resume = resume
        self._ending = ending
        self._clock = clock
        self._tally = Tally(clock)
        self._next = clock() + _FIRST_PAUSE
        self._phases: set[tuple[str, str]] = set()
        self._warned: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    def __call__(self, event: Event) -> None:
        with self._tally.lock:
            self._tally.add(event)
            match event:
                case Warned(message=message):
                    if message not in self._warned:
                        self._warned.add(message)
                        self._say(f"warning: {message}")
                case ModelState(model=model, phase=phase, total=total):
                    if (model, phase) not in self._phases:
                        self._phases.add((model, phase))
                        self._say(f"{model}: {phase}" + (f" ({total / 1e6:,.0f} MB)" if total else ""))
                case RunStarted():
                    self._say(_begin(event, folder=self._ending))
                case Stopping(reason=reason):
                    self._say(f"{reason}: what was answered is kept")
                case RunFinished():
                    if self._ending:
                        print_ending(self._console, event, resume=self._resume)
                case _:
                    self._say_progress()

    def _say_progress(self) -> None:
        now = self._clock()
        if now < self._next:
            return
        tally = self._tally
        self._next = now + min(_LONGEST_PAUSE, max(_FIRST_PAUSE, tally.elapsed() / 20))
        parts = []
        for generator in tally.generators.values():
            reasons = format_reasons(generator.rejected)
            said = f"{generator.id} {generator.accepted:,}/{generator.requested:,}"
            parts.append(f"{said} (rejected: {reasons})" if reasons else said)
        self._say(" · ".join([format_duration(tally.elapsed()), *parts, *totals(tally)]))

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _begin(event: RunStarted, *, folder: bool) -> str:
    done = sum(event.accepted.values())
    wanted = ", ".join(f"{name} {count:,}" for name, count in event.requested.items())
    resumed = f", {done:,} of them there already" if any(event.attempts.values()) else ""
    return f"{event.name}{f' → {event.run_dir}' if folder else ''}: {wanted}{resumed}"
