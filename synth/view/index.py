"""An index of a run for looking around in it: a SQLite file of its own, so that the run's own file is only read.

It is filled piece by piece from :class:`RunReader`, in plan order, and follows a run that is at work. Filters and
full-text search (FTS5) are answered from it; what an example says is read from the run itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from synth.example import generator_of
from synth.governance.forgetting import FORGOTTEN
from synth.reader import PlacedAttempt, RunReader
from synth.view.words import MOST_INDEXED, TOKENS, spaced, texts_of

_PIECE = 250
_SCHEMA = f"""
CREATE TABLE rows (
    n INTEGER PRIMARY KEY, unit TEXT NOT NULL UNIQUE, generator TEXT NOT NULL, place INTEGER NOT NULL, gate TEXT,
    seed TEXT, length INTEGER NOT NULL
);
CREATE INDEX rows_by_gate ON rows (generator, gate);
CREATE INDEX rows_by_seed ON rows (seed);
CREATE TABLE facts (
    kind TEXT NOT NULL, name TEXT NOT NULL, value NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, name, value, n)
) WITHOUT ROWID;
CREATE TABLE marks (unit TEXT PRIMARY KEY, mark TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE seeds (id TEXT PRIMARY KEY, fields BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE spent (
    generator TEXT, role TEXT, model TEXT, calls INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL,
    cost_usd REAL NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (generator, role, model)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE text USING fts5(body, content='', tokenize="{TOKENS}");
CREATE VIRTUAL TABLE words USING fts5vocab(text, row);
"""
_ADD_SPENT = """
INSERT INTO spent VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    calls = calls + excluded.calls, input = input + excluded.input, output = output + excluded.output,
    cost_usd = cost_usd + excluded.cost_usd, seconds = seconds + excluded.seconds
"""


def forgotten_in(reader: RunReader) -> int:
    """How many places in the plan synth forget has emptied: what was read of them before is to be thrown away."""
    generators = (reader.summary or {}).get("generators", {}).values()
    return sum(row["rejected"].get(FORGOTTEN, 0) for row in generators)


class IndexWriter:
    """Fills the index at ``path``, which must not exist. Use it from one thread."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=10)
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + _SCHEMA)
        self._next = 1
        self._from: dict[str, int] = {}
        self._last_call = 0
        self._forgotten: int | None = None

    def close(self) -> None:
        self._db.close()

    def _begin(self, reader: RunReader) -> None:
        """Have nothing but the seeds, where the run has forgotten something since, and at first."""
        forgotten = forgotten_in(reader)
        if forgotten == self._forgotten:
            return
        self._forgotten, self._from, self._last_call = forgotten, {}, 0
        with self._db:
            for table in ("rows", "facts", "spent", "seeds"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608
            self._db.execute("INSERT INTO text (text) VALUES ('delete-all')")
            rows = ((seed.id, orjson.dumps(dict(seed.fields), default=str)) for seed in reader.seeds())
            self._db.executemany("INSERT OR REPLACE INTO seeds VALUES (?, ?)", rows)

    def set_marks(self, marks: Mapping[str, str]) -> None:
        """Take these marks for all there are."""
        with self._db:
            self._db.execute("DELETE FROM marks")
            self._db.executemany("INSERT INTO marks VALUES (?, ?)", marks.items())

    def catch_up(self, reader: RunReader, go_on: Callable[[], bool]) -> None:
        """Take in what the run has made since. ``go_on`` is asked after each piece, which can be looked at by then."""
        self._begin(reader)
        for generator in reader.generators:
            self._forget_provisional(generator)
            while attempts := reader.placed(generator, self._from.get(generator, 0), _PIECE):
                with self._db:
                    self._add(generator, attempts)
                if not go_on():
                    return
                if attempts[-1].provisional:
                    break
        while calls := reader.call_costs(self._last_call):
            self._last_call = calls[-1].rowid
            with self._db:
                self._db.executemany(
                    _ADD_SPENT,
                    (
                        (generator_of(unit), _role(key), c.model, 1, c.input, c.output, c.cost_usd or 0.0, c.seconds)
                        for c in calls
                        if c.source == "sent"
                        for unit, _, key in [c.id.partition("/")]
                    ),
                )
            if not go_on():
                return

    def _forget_provisional(self, generator: str) -> None:
        """What was decided beyond a gap may have been decided anew."""
        first = self._from.get(generator, 0)
        with self._db:
            gone = [
                n
                for (n,) in self._db.execute(
                    "SELECT n FROM rows WHERE generator = ? AND place >= ?", (generator, first)
                ).fetchall()
            ]
            for n in gone:
                self._db.execute("DELETE FROM rows WHERE n = ?", (n,))
                self._db.execute("DELETE FROM facts WHERE n = ?", (n,))

    def _add(self, generator: str, attempts: list[PlacedAttempt]) -> None:
        rows, facts, texts = [], [], []
        for attempt in attempts:
            n, row = self._next, attempt.row
            self._next += 1
            said = dict.fromkeys(texts_of(row))
            length = sum(map(len, (m.get("content") or "" for m in row.get("messages") or ()))) or len(
                row.get("text") or ""
            )
            rows.append((n, attempt.unit, generator, attempt.place, attempt.gate, row.get("seed_id"), length))
            texts.append((n, spaced("\n".join(text[:MOST_INDEXED] for text in said))))
            facts += [("attribute", name, value, n) for name, value in _attributes(row)]
            facts += [("score", name, value, n) for name, value in (row.get("scores") or {}).items() if _number(value)]
            if not attempt.provisional:
                self._from[generator] = attempt.place + 1
        self._db.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._db.executemany("INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?)", facts)
        self._db.executemany("INSERT INTO text (rowid, body) VALUES (?, ?)", texts)


def _attributes(row: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in (row.get("attributes") or {}).items():
        for one in value if isinstance(value, list) else [value]:
            yield name, one if isinstance(one, str) else orjson.dumps(one).decode()


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _role(key: str) -> str:
    return key.partition(".")[0]
