"""What went wrong, in words: the one place where errors become messages."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path

import click

from synth.cli.excerpt import excerpts
from synth.cli.terminal import Terminal
from synth.errors import RecipeError, SynthError


def report(terminal: Terminal, error: SynthError) -> None:
    """Say what went wrong, where, and what to do next."""
    if terminal.as_json:
        _as_json(terminal, error)
        return
    if not isinstance(error, RecipeError):
        _say_error(terminal, error.message)
        if error.hint:
            terminal.say(f"  {error.hint}")
        return
    shown = excerpts(error.problems)
    for problem, excerpt in zip(error.problems, shown, strict=True):
        where = f"{problem.where}: "
        if terminal.colour:
            where = f"\x1b[1m{where}\x1b[0m"
        terminal.say(where + problem.message)
        if excerpt is not None:
            terminal.say(excerpt.source)
            terminal.say(excerpt.caret, style="red")
        if problem.hint:
            terminal.say(f"  {problem.hint}")


def report_usage(terminal: Terminal, error: click.ClickException) -> None:
    """A command line that cannot be understood."""
    _say_error(terminal, error.format_message())
    if isinstance(error, click.UsageError) and error.ctx is not None:
        usage = " ".join(error.ctx.get_usage().split()).removeprefix("Usage: ")
        asked_for = (one for one in error.ctx.command.params if isinstance(one, click.Option) and one.required)
        needed = "".join(f" {one.opts[0]} {one.make_metavar(error.ctx)}" for one in asked_for)
        terminal.say(f"  usage: {usage}{needed}; more by {error.ctx.command_path} --help")


def report_defect(terminal: Terminal, error: BaseException) -> None:
    """Something that nobody foresaw: one line for the user, the traceback in a file for whoever mends it."""
    text = terminal.stream.clean("".join(traceback.format_exception(error)))
    path = _write_details(terminal.run_dir, f"{' '.join(sys.argv)}\n\n{text}")
    what = " ".join(f"{type(error).__name__}: {error}".split())
    said = what if len(what) <= 200 else what[:199] + "…"
    details = f"details in {path}" if path is not None else f"and its details could not be written\n{text}"
    if terminal.as_json:
        _write_json(terminal, {"event": "error", "defect": True, "message": said, "hint": details})
        return
    _say_error(terminal, f"this is a defect in synth: {said}; {details}")


def _say_error(terminal: Terminal, message: str) -> None:
    name = "\x1b[1;31msynth:\x1b[0m" if terminal.colour else "synth:"
    terminal.say(f"{name} {message}")


def _write_details(run_dir: Path | None, text: str) -> Path | None:
    folders = [run_dir] if run_dir is not None and run_dir.is_dir() else []
    for folder in (*folders, Path(tempfile.gettempdir())):
        path = folder / f"synth-defect-{os.getpid()}.txt"
        try:
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return path
    return None


def _as_json(terminal: Terminal, error: SynthError) -> None:
    line: dict[str, object] = {"event": "error", "message": error.message, "hint": error.hint}
    if isinstance(error, RecipeError):
        names = ("file", "line", "column", "message", "hint")
        line["problems"] = [{name: getattr(problem, name) for name in names} for problem in error.problems]
    _write_json(terminal, line)


def _write_json(terminal: Terminal, line: dict[str, object]) -> None:
    import orjson

    terminal.say(orjson.dumps(line).decode())
