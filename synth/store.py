"""The run store: one SQLite file that holds every call, attempt and verdict of a run.

Writes come from the event loop and are committed by one thread in groups: what comes within ``GROUP_SECONDS``, or
while the commit before is under way. A call is shown to nobody before its group is on disk (WAL, ``synchronous=FULL``:
it survives a power cut, not only a kill). When a commit has failed, nothing more is recorded.
"""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from synth.errors import ResponseError, RunError, UsageError
from synth.example import generator_of
from synth.messages import Usage
from synth.models.caller import CallRecord
from synth.models.client import Request, Response

GROUP_SECONDS = 0.004
_ROWS = 256  # in one statement; SQLite takes 32,766 values
_MOST_TOKENS = 2**40  # of one call: their sums fit into SQLite's 64 bits
PACE_SECONDS = 5
"""What was done in so many seconds makes one row of ``pace``; ``at`` is Unix time."""
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS calls (
    id TEXT NOT NULL, fingerprint TEXT NOT NULL, unit TEXT NOT NULL, model TEXT NOT NULL,
    request BLOB NOT NULL, response BLOB NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_usd REAL,
    seconds REAL NOT NULL, tries INTEGER NOT NULL, source TEXT NOT NULL,
    PRIMARY KEY (id, fingerprint)
);
CREATE TABLE IF NOT EXISTS attempts (
    generator TEXT NOT NULL, place INTEGER NOT NULL, unit TEXT NOT NULL, gate TEXT, row BLOB NOT NULL, text TEXT,
    provisional INTEGER NOT NULL, PRIMARY KEY (generator, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pace (
    at INTEGER PRIMARY KEY, attempts INTEGER NOT NULL, accepted INTEGER NOT NULL, calls INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_usd REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_by_unit ON attempts (unit);
"""


_ADD_PACE = """
INSERT INTO pace VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (at) DO UPDATE SET
    attempts = attempts + excluded.attempts, accepted = accepted + excluded.accepted, calls = calls + excluded.calls,
    input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,
    cost_usd = cost_usd + excluded.cost_usd
"""

# Each attempt beside its number among those of its generator: up to the first gap that is its place.
_NUMBERED = """
(SELECT generator, place, gate, ROW_NUMBER() OVER (PARTITION BY generator ORDER BY place) - 1 AS number
 FROM attempts WHERE provisional = 0)
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a generator stands: places decided (0 to ``decided`` - 1, without a gap), and how many of them passed."""

    decided: int = 0
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Rejection:
    """A decided place that was not accepted: the gate, and the names of what it was too close to."""

    place: int
    gate: str
    near: tuple[str, ...]


class _Group:
    """The writes of one commit, and whoever waits for it."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.attempts: list[tuple[Any, ...]] = []
        self.vectors: list[tuple[str, bytes]] = []
        self.done = asyncio.Event()
        self.error: RunError | UsageError | None = None


class Store:
    """Open with :meth:`open`; write from one event loop only; read from the thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._reader = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._writer: sqlite3.Connection | None = None
        self._group: _Group | None = None
        self._committing: asyncio.Future[None] | None = None
        self._error: RunError | UsageError | None = None
        self._journaled: dict[tuple[str, str], int] = {}

    @classmethod
    def open(cls, path: Path) -> Self:
        """Create the file or open the one that is there. Raises ``UsageError`` for what is no run store."""
        try:
            connection = _connect(path)
            connection.executescript(_SCHEMA)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise UsageError(
                    f"{path} was written by another version of synth (format {version}, this one reads {_VERSION})",
                    hint="run it with the synth that began it, or choose another --run-dir",
                )
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.commit()
        except sqlite3.Error as error:
            raise _failure(path, error) from error
        return cls(path, connection)

    # -- what an earlier invocation left ------------------------------------------------------------------------

    def prepare_resume(self) -> None:
        """Forget provisional decisions and those behind a gap, which a commit that failed may have left; index the
        journaled calls of units that are still to be decided."""
        with self._reader:
            self._reader.execute("DELETE FROM attempts WHERE provisional = 1")
            behind = f"SELECT generator, place FROM {_NUMBERED} WHERE place > number"  # noqa: S608
            self._reader.execute(f"DELETE FROM attempts WHERE (generator, place) IN ({behind})")  # noqa: S608
        rows = self._reader.execute(
            "SELECT rowid, id, fingerprint FROM calls WHERE unit NOT IN (SELECT unit FROM attempts)"
        )
        self._journaled = {(call, fingerprint): rowid for rowid, call, fingerprint in rows}

    def progress(self) -> dict[str, Progress]:
        """How far each generator has been decided: up to the first place that is missing."""
        query = f"SELECT generator, COUNT(*), COUNT(*) - COUNT(gate) FROM {_NUMBERED} WHERE place = number GROUP BY 1"  # noqa: S608
        rows = self._reader.execute(query)
        return {generator: Progress(decided, accepted) for generator, decided, accepted in rows}

    def meta(self) -> dict[str, str]:
        return dict(self._reader.execute("SELECT key, value FROM meta").fetchall())

    def set_meta(self, values: Mapping[str, str]) -> None:
        """Written at once; for what is set when a run begins or ends, not on the way."""
        try:
            with self._reader:
                self._reader.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))
        except sqlite3.Error as error:
            raise _failure(self.path, error) from error

    # -- the journal ---------------------------------------------------------------------------------------------

    async def find_call(self, call_id: str, fingerprint: str, request: Request) -> CallRecord | None:
        """The journaled answer to this very call, if there is one."""
        rowid = self._journaled.get((call_id, fingerprint))
        if rowid is None:
            return None
        unit, model, response, cost, seconds, tries, source = self._reader.execute(
            "SELECT unit, model, response, cost_usd, seconds, tries, source FROM calls WHERE rowid = ?", (rowid,)
        ).fetchone()
        answer = Response.from_dict(orjson.loads(response))
        return CallRecord(call_id, unit, model, fingerprint, request, answer, cost, seconds, tries, source)

    async def record_call(self, record: CallRecord) -> None:
        """Return when the record is committed to disk.

        Raises ``ResponseError`` for an answer that no store can hold, ``RunError`` when none can be committed.
        """
        row = _call_row(record)
        group = self._open_group()
        group.calls.append(row)
        await group.done.wait()
        if group.error is not None:
            raise group.error

    def spent(self) -> tuple[Usage, float]:
        """Tokens and USD of all calls that were paid for in this run, over all its invocations."""
        tokens_in, tokens_out, cost = self._reader.execute(
            "SELECT COALESCE(SUM(input_tokens), 0), COALESCE(SUM(output_tokens), 0), COALESCE(SUM(cost_usd), 0)"
            " FROM calls WHERE source = 'sent'"
        ).fetchone()
        return Usage(tokens_in, tokens_out), cost

    def spent_by_generator(self) -> dict[str, tuple[Usage, float]]:
        """The same for each generator that has called a model; its echo of the teacher counts as its own."""
        rows = self._reader.execute(
            "SELECT RTRIM(unit, '0123456789') AS line,"
            " SUM(input_tokens), SUM(output_tokens), COALESCE(SUM(cost_usd), 0)"
            " FROM calls WHERE source = 'sent' GROUP BY line"
        )
        spent: dict[str, tuple[Usage, float]] = {}
        for line, sent, received, cost in rows:
            usage, before = spent.get(generator_of(line), (Usage(), 0.0))
            spent[generator_of(line)] = usage + Usage(sent, received), before + cost
        return spent

    def unpriced(self) -> int:
        """Calls sent to models whose price nobody knows."""
        query = "SELECT COUNT(*) FROM calls WHERE source = 'sent' AND cost_usd IS NULL"
        return int(self._reader.execute(query).fetchone()[0])

    def call_counts(self) -> tuple[int, int]:
        """Requests sent for journaled calls, and how many of them were retries."""
        sent, retried = self._reader.execute(
            "SELECT COALESCE(SUM(tries), 0), COALESCE(SUM(tries - 1), 0) FROM calls WHERE source = 'sent'"
        ).fetchone()
        return sent, retried

    # -- attempts -------------------------------------------------------------------------------------------------

    def record_attempt(
        self,
        generator: str,
        place: int,
        unit: str,
        gate: str | None,
        row: bytes,
        *,
        text: str | None = None,
        provisional: bool = False,
    ) -> None:
        """Note what became of a unit; ``text`` is what the novelty filter remembers of an accepted one.

        Not awaited: if it is lost, the journal leads to the same decision again. Raises ``RunError`` when an earlier
        commit has failed.
        """
        self._open_group().attempts.append((generator, place, unit, gate, row, text, int(provisional)))

    def accepted_texts(self, generator: str) -> Iterator[tuple[str, str]]:
        """Unit and text of what was accepted and is to be remembered, in plan order."""
        query = "SELECT unit, text FROM attempts WHERE generator = ? AND text IS NOT NULL ORDER BY place"
        return iter(self._reader.execute(query, (generator,)))

    def rejections_of(self, generator: str) -> list[Rejection]:
        """The decided rejections of a generator, in plan order."""
        query = (
            "SELECT place, gate, CASE gate WHEN 'novelty' THEN row END FROM attempts"
            " WHERE generator = ? AND gate IS NOT NULL AND provisional = 0 ORDER BY place"
        )
        return [
            Rejection(place, gate, tuple(orjson.loads(row).get("nearest", ())) if row else ())
            for place, gate, row in self._reader.execute(query, (generator,))
        ]

    def accepted_rows(self, generator: str) -> Iterator[bytes]:
        """The dataset lines of a generator, in plan order."""
        query = "SELECT row FROM attempts WHERE generator = ? AND gate IS NULL ORDER BY place"
        return (row for (row,) in self._reader.execute(query, (generator,)))

    def rejected_rows(self, generator: str) -> Iterator[bytes]:
        """The lines of ``rejected.jsonl`` of a generator, in plan order."""
        query = "SELECT row FROM attempts WHERE generator = ? AND gate IS NOT NULL ORDER BY place"
        return (row for (row,) in self._reader.execute(query, (generator,)))

    def rejections(self) -> dict[str, dict[str, int]]:
        """How many attempts each gate rejected, by generator."""
        query = (
            "SELECT generator, gate, COUNT(*) FROM attempts WHERE gate IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"
        )
        found: dict[str, dict[str, int]] = {}
        for generator, gate, times in self._reader.execute(query):
            found.setdefault(generator, {})[gate] = times
        return found

    def tally(self, generator: str) -> tuple[int, int]:
        """Attempts and accepted examples of a generator, provisional ones included."""
        attempts, accepted = self._reader.execute(
            "SELECT COUNT(*), COUNT(*) - COUNT(gate) FROM attempts WHERE generator = ?", (generator,)
        ).fetchone()
        return attempts, accepted

    # -- deletion -------------------------------------------------------------------------------------------------

    def all_rows(self) -> Iterator[tuple[str, str | None, bytes]]:
        """Unit, gate (None where accepted) and row of every attempt."""
        return iter(self._reader.execute("SELECT unit, gate, row FROM attempts ORDER BY generator, place"))

    def prompts(self) -> Iterator[tuple[str, str]]:
        """Unit and text of every request that a call was made with."""
        for unit, request in self._reader.execute("SELECT unit, request FROM calls ORDER BY unit"):
            messages = orjson.loads(request)["messages"]
            yield unit, "\n".join(message.get("content") or "" for message in messages)

    def forget(self, rows: Mapping[str, bytes], gate: str) -> int:
        """Leave of each unit in ``rows`` only its place, as rejected by ``gate`` with the row given; drop its calls.

        Returns how many calls went. What is overwritten cannot be read from the file any more.
        """
        try:
            self._reader.execute("PRAGMA secure_delete = ON")
            with self._reader:
                gone = self._reader.executemany("DELETE FROM calls WHERE unit = ?", [(unit,) for unit in rows]).rowcount
                self._reader.executemany(
                    "UPDATE attempts SET gate = ?, text = NULL, row = ? WHERE unit = ?",
                    [(gate, row, unit) for unit, row in rows.items()],
                )
                self._reader.execute("DELETE FROM vectors")
            self._reader.execute("VACUUM")
            self._reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise _failure(self.path, error) from error
        return gone

    # -- embeddings -----------------------------------------------------------------------------------------------

    def find_vector(self, key: str) -> bytes | None:
        """The embedding kept under ``key``, 32-bit floats, if there is one."""
        found = self._reader.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def record_vector(self, key: str, vector: bytes) -> None:
        """Keep an embedding. Not awaited: if it is lost, it is computed again."""
        self._open_group().vectors.append((key, vector))

    # -- commits --------------------------------------------------------------------------------------------------

    def _open_group(self) -> _Group:
        if self._error is not None:
            raise self._error
        if self._group is None:
            self._group = _Group()
            asyncio.get_running_loop().call_later(GROUP_SECONDS, self._start_commit, self._group)
        return self._group

    def _start_commit(self, due: _Group) -> None:
        """Commit ``due``, unless that has begun; while another is on its way it waits for that, and grows."""
        if self._group is not due or self._committing is not None:
            return
        self._group = None
        self._committing = asyncio.get_running_loop().run_in_executor(self._thread, self._commit, due)
        self._committing.add_done_callback(lambda done: self._finish_commit(due, done))

    def _finish_commit(self, group: _Group, done: asyncio.Future[None]) -> None:
        self._committing = None
        self._settle(group, done.exception())
        if self._group is not None:
            self._start_commit(self._group)

    def _settle(self, group: _Group, error: BaseException | None) -> None:
        """Wake those who wait for ``group``; the first error is kept, for whoever comes later."""
        if error is not None:
            group.error = _failure(self.path, error)
            group.error.__cause__ = error
            self._error = self._error or group.error
        group.done.set()

    def _commit(self, group: _Group) -> None:
        if self._writer is None:
            self._writer = _connect(self.path, check_same_thread=False)
        with self._writer:
            _insert(self._writer, "INSERT OR REPLACE INTO calls", group.calls)
            _insert(self._writer, "INSERT OR REPLACE INTO attempts", group.attempts)
            _insert(self._writer, "INSERT OR IGNORE INTO vectors", group.vectors)
            if group.calls or group.attempts:
                self._writer.execute(_ADD_PACE, _pace_row(group))

    async def flush(self) -> None:
        """Return when everything recorded so far is on disk. Raises ``RunError`` when something is not."""
        if self._group is not None:
            group = self._group
            self._start_commit(group)
            await group.done.wait()
        elif self._committing is not None:
            await asyncio.wait([self._committing])
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Commit what is open and close both connections. An error in that is told to those who wait for a record;
        others :meth:`flush` first."""
        group, self._group = self._group, None
        last = self._thread.submit(self._commit, group) if group is not None else None
        self._thread.shutdown(wait=True)
        if group is not None and last is not None:
            self._settle(group, last.exception())
        self._error = self._error or RunError(f"the run store {self.path} is closed")
        if self._writer is not None:
            self._writer.close()
        self._reader.close()


def _connect(path: Path, *, check_same_thread: bool = True) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10, check_same_thread=check_same_thread)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _insert(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert ``rows`` with one statement for many: each gives up the interpreter's lock, and to get that back from a
    busy event loop takes milliseconds."""
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        places = f"({', '.join('?' * len(part[0]))})"
        values = ", ".join([places] * len(part))
        connection.execute(f"{into} VALUES {values}", [value for row in part for value in row])


def _call_row(record: CallRecord) -> tuple[Any, ...]:
    """Raises ``ResponseError`` where there is none: half a character, a number that is too large."""
    usage = record.usage
    if max(usage.input, usage.output) > _MOST_TOKENS:
        raise ResponseError(f"the answer is said to be of {usage.total} tokens", kind="malformed")
    try:
        request, response = orjson.dumps(_request_row(record.request)), orjson.dumps(record.response.to_dict())
    except TypeError as error:
        text = (record.response.message.content or "").encode(errors="replace").decode()
        raise ResponseError(f"the answer cannot be kept: {error}", kind="malformed", text=text) from error
    return (
        record.id,
        record.fingerprint,
        record.unit,
        record.model,
        request,
        response,
        usage.input,
        usage.output,
        record.cost_usd,
        record.seconds,
        record.tries,
        record.source,
    )


def _pace_row(group: _Group) -> tuple[Any, ...]:
    sent = [(received, given, cost) for *_, received, given, cost, _, _, source in group.calls if source == "sent"]
    return (
        int(time.time()) // PACE_SECONDS * PACE_SECONDS,
        len(group.attempts),
        sum(gate is None for _, _, _, gate, *_ in group.attempts),
        len(sent),
        sum(received for received, _, _ in sent),
        sum(given for _, given, _ in sent),
        sum(cost or 0.0 for _, _, cost in sent),
    )


def _request_row(request: Request) -> dict[str, Any]:
    row: dict[str, Any] = {"messages": [message.to_dict() for message in request.messages]}
    if request.tools:
        row["tools"] = [tool.to_dict() for tool in request.tools]
    if request.schema is not None:
        row["schema"] = request.schema
    return row


def _failure(path: Path, error: BaseException) -> RunError | UsageError:
    text = str(error)
    if not isinstance(error, sqlite3.Error | OSError):
        return RunError(f"what was made cannot be kept in {path}: {type(error).__name__}: {text}")
    if "disk is full" in text or getattr(error, "errno", None) == errno.ENOSPC:
        return RunError(
            f"the disk that holds {path.parent} is full", hint="free some space and run the same command again"
        )
    if "not a database" in text or "malformed" in text:
        return UsageError(f"{path} is not a run store: {text}", hint="choose another --run-dir, or remove this one")
    if "readonly" in text or "unable to open" in text:
        return UsageError(f"{path} cannot be written: {text}", hint="choose a --run-dir that you may write to")
    return RunError(
        f"the run store {path} cannot be used: {text}",
        hint="look after the disk (space, quota, a network mount) and run the same command again: it resumes",
    )
