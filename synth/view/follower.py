"""Follows a run: a thread that keeps the index level with it, and says when there is something new to see."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from synth.errors import SynthError, UsageError
from synth.messages import Json
from synth.reader import RunReader
from synth.report.marks import add_mark, marks_file, read_marks
from synth.view.index import IndexWriter

_EVERY = 0.5
"""Seconds between two looks at the run's files."""
_TELL_EVERY = 0.7
"""Seconds between two words on how far a first reading has come."""
_LONGEST_PAUSE = 0.5
_PAUSE = 0.01


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run as it was at one moment, without looking at its attempts. ``recipe`` is that of the lock."""

    recipe: Json
    summary: Json | None
    process: int | None
    made: dict[str, int]


class Follower:
    """Index a run into ``index``, from now until :meth:`close`. ``changed`` is called from the follower's thread."""

    def __init__(self, folder: Path, index: Path, changed: Callable[[], None]) -> None:
        self._folder = folder
        self._changed = changed
        self._closing = threading.Event()
        self._index = index
        self._marking = threading.Lock()
        self._asked = 0
        self._ready = threading.Event()
        with RunReader(folder) as reader:
            self.snapshot = _snapshot(reader)
        self.marks = read_marks(folder)
        self.level = False
        self.trouble = ""
        self._thread = threading.Thread(target=self._work, name="view-index", daemon=True)

    def start(self) -> None:
        """Begin; returns when the index is there to be asked."""
        self._thread.start()
        self._ready.wait()

    def mark(self, unit: str, mark: str | None) -> None:
        """Keep a mark on disk, or with None take it back; :attr:`marks` has it at once, filters a moment later."""
        with self._marking:
            add_mark(self._folder, unit, mark)
            marks = {other: kept for other, kept in self.marks.items() if other != unit}
            self.marks = marks if mark is None else marks | {unit: mark}

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """While somebody waits for an answer, indexing pauses: both need the interpreter."""
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        writer = IndexWriter(self._index)
        self._ready.set()
        seen: object = None
        try:
            while not self._closing.is_set():
                stamp = _stamp(self._folder)
                try:
                    if stamp != seen or self._was_killed():
                        with RunReader(self._folder) as reader:
                            self.trouble = ""
                            self._catch_up(writer, reader)
                        seen = stamp
                        self._changed()
                except (SynthError, sqlite3.Error) as error:  # a run that is just being begun; looked at again soon
                    self.trouble = str(error)
                    self._changed()
                self._closing.wait(_EVERY)
        finally:
            writer.close()

    def _was_killed(self) -> bool:
        """Whether the process that was at work is gone: one that is killed changes no file."""
        if self.snapshot.process is None:
            return False
        with RunReader(self._folder) as reader:
            return reader.running is None

    def _catch_up(self, writer: IndexWriter, reader: RunReader) -> None:
        self.snapshot = _snapshot(reader)
        try:
            with self._marking:
                self.marks = read_marks(self._folder)
            writer.set_marks(self.marks)
        except UsageError as error:
            self.trouble = error.message

        told = 0.0

        def go_on() -> bool:
            nonlocal told
            now = time.monotonic()
            if now - told > _TELL_EVERY:
                told = now
                self._changed()
            while self._asked and time.monotonic() - now < _LONGEST_PAUSE:
                self._closing.wait(_PAUSE)
            return not self._closing.is_set()

        self.level = False
        writer.catch_up(reader, go_on)
        self.snapshot = _snapshot(reader)
        self.level = True


def _snapshot(reader: RunReader) -> Snapshot:
    return Snapshot(reader.lock.recipe, reader.summary, reader.running, reader.attempts_made())


def _stamp(folder: Path) -> object:
    """What differs when the run, or its marks, have changed."""
    store = folder / "run.sqlite"
    files = (store, store.with_name("run.sqlite-wal"), folder / "run.pid", marks_file(folder))
    return [(info.st_mtime_ns, info.st_size) for file in files if file.exists() for info in [file.stat()]]
