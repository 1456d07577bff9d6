"""Answers shared between runs: one SQLite file in the user's cache folder, by request fingerprint."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import orjson
import platformdirs

from synth.errors import UsageError
from synth.models.client import Response
from synth.models.progress import Report, Warned, ignore

GROUP_SECONDS = 0.05
_BUSY_SECONDS = 10
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, response BLOB NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
"""


class Cache:
    """Reads at once, writes in groups from a thread. Several processes may use the same file.

    A lost write costs one call in some later run, so the file is not synced to the disk with each group.
    """

    def __init__(self, path: Path, reader: sqlite3.Connection, report: Report) -> None:
        self._path = path
        self._reader = reader
        self._report = report
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cache")
        self._writer: sqlite3.Connection | None = None
        self._pending: dict[str, Response] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._broken = False

    @classmethod
    def open(cls, path: Path | None = None, *, report: Report = ignore) -> Self:
        """The cache at ``path`` (default: :func:`default_path`). Raises ``UsageError`` where it cannot be used."""
        path = path or default_path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            reader = _connect(path)
            reader.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise UsageError(
                f"the cache {path} cannot be used: {error}",
                hint="remove that file, set SYNTH_CACHE to another folder, or leave out `cache: true`",
            ) from error
        return cls(path, reader, report)

    def get(self, key: str) -> Response | None:
        """The answer kept under ``key``, if there is one."""
        pending = self._pending.get(key)
        if pending is not None:
            return pending
        try:
            found = self._reader.execute("SELECT response FROM answers WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error:
            return None
        return None if found is None else Response.from_dict(orjson.loads(found[0]))

    def put(self, key: str, response: Response) -> None:
        """Keep ``response`` under ``key``, soon."""
        self._pending[key] = response
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GROUP_SECONDS, self._start_write)

    async def aclose(self) -> None:
        """Write what is pending and close."""
        self._start_write()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close_writer)
        self._thread.shutdown()
        self._reader.close()

    def _start_write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending and not self._broken:
            group, self._pending = self._pending, {}
            done = asyncio.get_running_loop().run_in_executor(self._thread, self._write, group)
            done.add_done_callback(self._check)

    def _write(self, group: dict[str, Response]) -> None:
        if self._writer is None:
            self._writer = _connect(self._path, check_same_thread=False)
        now = time.time()
        rows = [(key, orjson.dumps(response.to_dict()), now) for key, response in group.items()]
        with self._writer:
            self._writer.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", rows)

    def _check(self, done: asyncio.Future[None]) -> None:
        error = done.exception()
        if error is None:
            return
        if not isinstance(error, sqlite3.Error):
            raise error
        if not self._broken:
            self._broken = True
            self._report(Warned(f"answers are no longer kept in the cache {self._path}: {error}"))

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()


@asynccontextmanager
async def open_cache(wanted: bool, *, report: Report = ignore) -> AsyncIterator[Cache | None]:
    """The user's cache, open while the context lasts; None where it is not ``wanted``."""
    if not wanted:
        yield None
        return
    cache = Cache.open(report=report)
    try:
        yield cache
    finally:
        await cache.aclose()


def default_path() -> Path:
    """``answers.sqlite`` under ``SYNTH_CACHE``, else under the user's cache folder."""
    root = os.environ.get("SYNTH_CACHE") or platformdirs.user_cache_dir("synth", appauthor=False)
    return Path(root).expanduser().absolute() / "answers.sqlite"


def _connect(path: Path, *, check_same_thread: bool = True) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=check_same_thread)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection
