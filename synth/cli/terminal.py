"""Where commands speak to the user: stderr, in one style, without secrets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.progress.stream import CleanStream

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class Terminal:
    """One invocation's stderr. ``as_json`` says everything as JSON lines; ``run_dir`` is where a defect is written."""

    def __init__(self) -> None:
        self.stream = CleanStream(sys.stderr)
        self.as_json = False
        self.run_dir: Path | None = None

    @property
    def colour(self) -> bool:
        """Whether the user sees colours: on a terminal that knows them, unless NO_COLOR is set; or FORCE_COLOR is."""
        if os.environ.get("NO_COLOR"):
            return False
        return bool(os.environ.get("FORCE_COLOR")) or (self.stream.isatty() and os.environ.get("TERM") != "dumb")

    @property
    def live(self) -> bool:
        """Whether lines already shown can be shown anew."""
        return self.stream.isatty() and os.environ.get("TERM") != "dumb"

    def hide(self, secrets: Iterable[str]) -> None:
        self.stream.hide(secrets)

    def say(self, text: str, *, style: str = "") -> None:
        """One line, or several; ``style`` is a colour and shows only where there are colours."""
        bold = style == "bold"
        styled = click.style(text, fg=None if bold else style, bold=bold or None) if style and self.colour else text
        self.stream.write(styled + "\n")
        self.stream.flush()

    def console(self) -> Console:
        """For tables, panels and live displays."""
        from rich.console import Console

        return Console(file=self.stream.as_text_io(), highlight=False)

    def print(self, *parts: RenderableType) -> None:
        """Put what was asked for on stdout: all that ever goes there."""
        from rich.console import Console

        console = Console(file=CleanStream(sys.stdout).as_text_io(), highlight=False)
        for part in parts:
            console.print(part)


pass_terminal = click.make_pass_decorator(Terminal, ensure=True)
