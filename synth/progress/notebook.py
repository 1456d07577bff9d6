"""Progress in a notebook: one output of the cell that is replaced as the run goes on."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

from rich.console import Console

from synth.events import Event, RunFinished, RunStarted, Stopping, Warned
from synth.progress.ending import print_ending
from synth.progress.live import LiveProgress

_WIDTH = 100
_PAUSE = 0.25

Show = Callable[[str], None]
"""Shows a text in place of the one shown before."""


class NotebookProgress:
    """A listener. ``show`` is how a text gets into the notebook; default: by IPython's display."""

    def __init__(self, show: Show | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._show = show if show is not None else _display()
        self._clock = clock
        self._next = clock()
        self._warnings: list[str] = []
        self._console = Console(file=io.StringIO(), width=_WIDTH, force_jupyter=False, highlight=False)
        self._live = LiveProgress(self._console)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Warned):
            if event.message not in self._warnings:
                self._warnings.append(event.message)
        elif isinstance(event, RunFinished):
            with self._console.capture() as captured:
                print_ending(self._console, event)
            self._put(captured.get())
            return
        else:
            self._live(event)
        if self._clock() >= self._next or isinstance(event, RunStarted | Stopping | Warned):
            self._next = self._clock() + _PAUSE
            with self._console.capture() as captured:
                self._console.print(self._live.render())
            self._put(captured.get())

    def _put(self, text: str) -> None:
        lines = [f"warning: {message}" for message in self._warnings]
        lines += [line.rstrip() for line in text.splitlines()]
        self._show("\n".join(lines))


def _display() -> Show:
    from IPython.display import display

    handle = display({"text/plain": ""}, raw=True, display_id=True)
    return lambda text: handle.update({"text/plain": text}, raw=True)
