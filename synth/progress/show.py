"""Progress in the way that suits where it is shown."""

from __future__ import annotations

from rich.console import Console

from synth.events import Listener
from synth.progress.lines import PlainProgress
from synth.progress.live import LiveProgress
from synth.progress.notebook import NotebookProgress


def show_progress(
    console: Console | None = None, *, live: bool | None = None, resume: str = "", ending: bool = True
) -> Listener:
    """A listener for :func:`synth.run`: a display that changes in a notebook and on a terminal, plain lines elsewhere.

    Without a ``console`` it writes to stderr. ``live`` overrides what is found out about it; ``resume`` is the command
    that resumes the run, to be shown when it does not complete; without ``ending`` nothing is said of how it ended, and
    where.
    """
    console = console if console is not None else Console(stderr=True, highlight=False)
    if console.is_jupyter:
        return NotebookProgress()
    if live if live is not None else console.is_terminal and not console.is_dumb_terminal:
        return LiveProgress(console, resume=resume, ending=ending)
    return PlainProgress(console, resume=resume, ending=ending)
