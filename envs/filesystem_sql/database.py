"""The database of the world: SQLite in memory, filled from the state for each call and read back after a change.

Its clock is the world's: ``date('now')`` and CURRENT_DATE are what ``state["now"]`` says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from synth.environments import ToolError

State = dict[str, Any]

MOST_ROWS = 200
_STEPS = 5_000_000
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE, sqlite3.SQLITE_TRANSACTION}
_BY_CHANCE = {"random", "randomblob"}


def select(state: State, sql: str, limit: int = MOST_ROWS) -> tuple[list[str], list[list[Any]]]:
    """Column names and at most ``limit`` rows. Raises ``ToolError``."""
    with _opened(state, _READS, "query only reads; change_rows changes the database") as connection:
        cursor = connection.execute(sql)
        if cursor.description is None:
            raise ToolError("this is no query: it must begin with SELECT or WITH")
        return [column[0] for column in cursor.description], [list(map(_plain, row)) for row in cursor.fetchmany(limit)]


def change(state: State, sql: str) -> int:
    """Carry out one INSERT, UPDATE or DELETE and put what came of it into the state. The number of rows."""
    with _opened(state, _READS | _WRITES, "only INSERT, UPDATE and DELETE are possible here") as connection:
        before = connection.total_changes
        if connection.execute(sql).description is not None:
            raise ToolError("this is a query: use the tool query for it")
        changed = connection.total_changes - before
        connection.set_authorizer(None)
        for name, table in state["tables"].items():
            table["rows"] = [list(map(_plain, row)) for row in connection.execute(f"SELECT * FROM {name}")]  # noqa: S608
    return changed


def columns(state: State, name: str) -> list[dict[str, Any]]:
    with _opened(state, None, "") as connection:
        found = connection.execute(f"PRAGMA table_info({name})").fetchall()
    return [{"name": row[1], "type": row[2], "required": bool(row[3]), "key": bool(row[5])} for row in found]


def broken_references(state: State) -> list[str]:
    with _opened(state, None, "") as connection:
        found = connection.execute("PRAGMA foreign_key_check").fetchall()
    return [f"{table} row {row} refers to no row of {parent}" for table, row, parent, _ in found]


@contextmanager
def _opened(state: State, allowed: set[int] | None, refusal: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
    try:
        for table in state["tables"].values():
            connection.execute(table["sql"])
        for name, table in state["tables"].items():
            if table["rows"]:
                marks = ", ".join("?" * len(table["rows"][0]))
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", table["rows"])  # noqa: S608
        _set_clock(connection, state["now"])
        if allowed is not None:
            connection.set_authorizer(lambda action, first, second, *_: _authorize(action, second, allowed))
            connection.set_progress_handler(_Stop(), 10_000)
        yield connection
    except sqlite3.DatabaseError as error:
        said = str(error)
        raise ToolError(refusal if said in {"not authorized", "prohibited"} else f"SQL error: {said}") from error
    except (sqlite3.Warning, ValueError) as error:  # two statements, or a NUL character
        raise ToolError(f"SQL error: {error}") from error
    finally:
        connection.close()


class _Stop:
    """Ends a statement after so many steps, not after so much time: a replay must end in the same place."""

    def __init__(self) -> None:
        self._left = _STEPS // 10_000

    def __call__(self) -> int:
        self._left -= 1
        return int(self._left <= 0)


def _authorize(action: int, name: str | None, allowed: set[int]) -> int:
    if action == sqlite3.SQLITE_FUNCTION and str(name).lower() in _BY_CHANCE:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _set_clock(connection: sqlite3.Connection, now: str) -> None:
    clock = sqlite3.connect(":memory:")

    def told(name: str, *given: Any) -> Any:
        wanted = list(given)
        at = 1 if name == "strftime" else 0
        if len(wanted) <= at:
            wanted.append("now")
        if isinstance(wanted[at], str) and wanted[at].strip().lower() == "now":
            wanted[at] = now
        marks = ", ".join("?" * len(wanted))
        return clock.execute(f"SELECT {name}({marks})", wanted).fetchone()[0]

    for name in ("date", "time", "datetime", "julianday", "strftime"):
        connection.create_function(name, -1, lambda *given, name=name: told(name, *given))
    for name, function in (("current_date", "date"), ("current_time", "time"), ("current_timestamp", "datetime")):
        connection.create_function(name, 0, lambda function=function: told(function))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        raise ToolError("the result holds bytes, which cannot be shown; CAST them AS TEXT")
    return value
