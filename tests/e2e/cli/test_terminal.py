"""What a run looks like on a terminal: a display that changes, ends, and leaves the cursor as it was."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from synth.errors import EXIT_INTERRUPTED

from .conftest import Folder, command_line, environment

HIDE_CURSOR, SHOW_CURSOR, LINE_UP = "\x1b[?25l", "\x1b[?25h", "\x1b[1A"


class Terminal:
    """The far end of a terminal that a command has as its stderr."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self.shown = ""
        self._descriptor = descriptor

    def read_until(self, text: str = "") -> str:
        """What was shown until ``text`` was; without a text, until the end."""
        deadline = time.monotonic() + 60
        while (not text or text not in self.shown) and time.monotonic() < deadline:
            if not select.select([self._descriptor], [], [], 0.1)[0]:
                if self.process.poll() is not None:
                    return self.shown
                continue
            try:
                self.shown += os.read(self._descriptor, 65536).decode()
            except OSError:  # the other end is closed
                return self.shown
        assert text in self.shown
        return self.shown


@contextmanager
def on_a_terminal(folder: Folder, *words: str, **variables: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command_line(words),
        cwd=folder.path,
        env=environment() | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"} | variables,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.communicate()
        os.close(ours)


@pytest.fixture
def slow(folder: Folder) -> Folder:
    folder.edit("answers.yaml", "delay: 0.01", "delay: 0.1")
    return folder


def test_the_display_changes_and_gives_way_to_the_table(slow: Folder) -> None:
    with on_a_terminal(slow, "run", "recipe.yaml", "--count", "20") as terminal:
        shown = terminal.read_until()
        assert terminal.process.wait() == 0
        assert terminal.process.stdout is not None
        assert terminal.process.stdout.read() == b""
    assert shown.startswith(HIDE_CURSOR)
    assert shown.count(LINE_UP) >= 4
    end = shown[shown.rindex(SHOW_CURSOR) :]
    assert "complete" in end
    assert "20 of 20" in end
    assert "rejected: accept" in shown


def test_interrupted_on_a_terminal(slow: Folder) -> None:
    with on_a_terminal(slow, "run", "recipe.yaml") as terminal:
        terminal.read_until("/40")
        slow.wait_for_calls(4)
        terminal.process.send_signal(signal.SIGINT)
        shown = terminal.read_until()
        assert terminal.process.wait() == EXIT_INTERRUPTED
    assert shown.count(HIDE_CURSOR) == shown.count(SHOW_CURSOR)
    assert "to resume: synth run recipe.yaml" in shown
    assert "Traceback" not in shown


def test_an_error_leaves_the_cursor_as_it_was(folder: Folder) -> None:
    assert folder.synth("run", "recipe.yaml", "--count", "2").returncode == 0
    with on_a_terminal(folder, "run", "recipe.yaml", "--resume", "never") as terminal:
        shown = terminal.read_until()
        assert terminal.process.wait() == 2
    assert shown.count(HIDE_CURSOR) == shown.count(SHOW_CURSOR)
    assert "already holds a run" in shown


def test_no_colour_where_none_is_wanted(folder: Folder) -> None:
    with on_a_terminal(folder, "run", "recipe.yaml", "--count", "3", NO_COLOR="1") as terminal:
        shown = terminal.read_until()
    assert "\x1b[3" not in shown
    with on_a_terminal(folder, "run", "recipe.yaml", "--count", "3", TERM="dumb") as terminal:
        dumb = terminal.read_until()
    assert "\x1b" not in dumb
    assert "complete" in dumb
