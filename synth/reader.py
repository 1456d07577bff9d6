"""Looks at a run folder without touching it: while its run is at work, after it ended, or on a read-only disk."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import orjson

from synth.errors import UsageError
from synth.example import Seed, generator_of
from synth.fingerprint import fingerprint
from synth.messages import Json
from synth.recipe.lock import Lock, read_lock
from synth.recipe.problems import did_you_mean
from synth.recipe.schema import SeedsSpec
from synth.seeds import read_seeds

UNFINISHED = {
    "message": "its process ended before it could say how",
    "hint": "the same synth run command goes on where it stopped",
}
"""What is said of a run that was killed."""

_UNIT = re.compile(r"(?P<generator>.+)-(?P<index>\d+)")


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One attempt in a list: ``gate`` is None where it was accepted."""

    unit: str
    gate: str | None
    row: Json


@dataclass(frozen=True, slots=True)
class PlacedAttempt(AttemptLine):
    """An attempt with its place in its generator's plan; a ``provisional`` one is decided again on resume."""

    place: int
    provisional: bool
    text: str | None
    """What the novelty filter remembers of it, if it does."""


class Pace(NamedTuple):
    """What a run did in the ``PACE_SECONDS`` from ``at`` (Unix time)."""

    at: int
    attempts: int
    accepted: int
    calls: int
    input: int
    output: int
    cost_usd: float


class CallCost(NamedTuple):
    """What one call took: ``rowid`` grows in the order of the answers."""

    rowid: int
    id: str
    model: str
    input: int
    output: int
    cost_usd: float | None
    seconds: float
    source: str


class RunReader:
    """The run in ``folder``. Use it as a context. Raises ``UsageError`` where there is no run to read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "run.sqlite"
        if not path.is_file():
            raise UsageError(
                f"{folder} holds no run" if folder.is_dir() else f"there is no folder {folder}", hint=_runs_near(folder)
            )
        try:
            self._db = _open(path)
            self._meta = dict(self._db.execute("SELECT key, value FROM meta").fetchall())
        except sqlite3.Error as error:
            hint = f"put a copy of it back, or make the run anew; what it has made lies in {folder / 'dataset'}"
            raise UsageError(f"{path} is not a run store that can be read: {error}", hint=hint) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    @cached_property
    def lock(self) -> Lock:
        """The recipe as the run used it. Raises ``UsageError`` where it cannot be read."""
        return read_lock(self.folder / "recipe.lock.yaml")

    @property
    def generators(self) -> list[str]:
        """Their ids, in the recipe's order."""
        return [spec["id"] for spec in self.lock.recipe["generate"]]

    @property
    def summary(self) -> Json | None:
        """``summary.json`` as the latest invocation to end has left it; None before the first has."""
        found: Json | None = orjson.loads(self._meta["summary"]) if "summary" in self._meta else None
        return found

    @property
    def started(self) -> datetime | None:
        """When the run was begun, in UTC."""
        return datetime.fromtimestamp(float(self._meta["started"]), UTC) if "started" in self._meta else None

    @property
    def written(self) -> dict[str, str]:
        """SHA-256 of each file beside the dataset, by name, as the latest invocation to end has written it."""
        found: dict[str, str] = orjson.loads(self._meta.get("files", "{}"))
        return found

    @property
    def running(self) -> int | None:
        """The id of the process at work in the folder, or None."""
        try:
            process = int((self.folder / "run.pid").read_text())
        except (OSError, ValueError):
            return None
        return process if _holds_lock(self.folder / "run.lock") else None

    def attempt(self, unit: str) -> AttemptLine | None:
        """The attempt at a unit, or None while it has not been decided."""
        found = self._db.execute("SELECT gate, row FROM attempts WHERE unit = ?", (unit,)).fetchone()
        return None if found is None else AttemptLine(unit, found[0], orjson.loads(found[1]))

    def attempts(
        self, *, generator: str | None = None, accepted: bool | None = None, newest: int = 20
    ) -> Iterator[AttemptLine]:
        """The newest attempts of one generator or of all, those accepted, those not, or both; in plan order."""
        passed = {None: "", True: " AND gate IS NULL", False: " AND gate IS NOT NULL"}[accepted]
        query = f"SELECT unit, gate, row FROM attempts WHERE generator = ?{passed} ORDER BY place DESC LIMIT ?"  # noqa: S608
        for name in [generator] if generator is not None else self.generators:
            rows = self._db.execute(query, (name, newest)).fetchall()
            yield from (AttemptLine(unit, gate, orjson.loads(row)) for unit, gate, row in reversed(rows))

    def placed(self, generator: str, first: int = 0, most: int = 1000) -> list[PlacedAttempt]:
        """The attempts of a generator from a place on, in plan order."""
        rows = self._db.execute(
            "SELECT unit, gate, row, place, provisional, text FROM attempts WHERE generator = ? AND place >= ?"
            " ORDER BY place LIMIT ?",
            (generator, first, most),
        )
        return [_placed(row) for row in rows]

    def sample(
        self, most: int, also: Iterable[str] = (), generators: Sequence[str] | None = None
    ) -> Iterator[PlacedAttempt]:
        """At most about ``most`` attempts, at equal distances in each plan, and those named in ``also``."""
        wanted = self.generators if generators is None else generators
        made = self.attempts_made()
        step = max(1, -(-sum(made.get(name, 0) for name in wanted) // most))
        query = "SELECT unit, gate, row, place, provisional, text FROM attempts WHERE "
        named = set(also)
        for generator in wanted:
            rows = self._db.execute(f"{query} generator = ? AND place % ? = 0 ORDER BY place", (generator, step))
            for row in rows:
                named.discard(row[0])
                yield _placed(row)
        for unit in sorted(named):
            yield from map(_placed, self._db.execute(f"{query} unit = ?", (unit,)))

    def attributes(self) -> Iterator[Json]:
        """The attributes of every accepted example."""
        query = "SELECT json_extract(CAST(row AS TEXT), '$.attributes') FROM attempts WHERE gate IS NULL"
        for (found,) in self._db.execute(query):
            if found is not None:
                yield orjson.loads(found)

    def attempts_made(self) -> dict[str, int]:
        """How many attempts there are, by generator, without looking at them."""
        return dict(self._db.execute("SELECT generator, COUNT(*) FROM attempts GROUP BY 1").fetchall())

    def call_costs(self, after: int = 0, most: int = 5000) -> list[CallCost]:
        """What the calls after a row took, without what was said in them."""
        rows = self._db.execute(
            "SELECT rowid, id, model, input_tokens, output_tokens, cost_usd, seconds, source FROM calls"
            " WHERE rowid > ? ORDER BY rowid LIMIT ?",
            (after, most),
        )
        return [CallCost(*row) for row in rows]

    def pace(self) -> list[Pace]:
        """What the run did when; empty for a run of an earlier synth."""
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'pace'").fetchone():
            return []
        return [Pace(*row) for row in self._db.execute("SELECT * FROM pace ORDER BY at")]

    def find_vector(self, key: str) -> bytes | None:
        """The embedding kept under ``key``, 32-bit floats, if there is one."""
        found = self._db.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    @property
    def has_vectors(self) -> bool:
        """Whether the run has compared meanings."""
        return self._db.execute("SELECT 1 FROM vectors LIMIT 1").fetchone() is not None

    @property
    def recipe_folder(self) -> Path | None:
        """What paths in the recipe were relative to when the run last began; None where that folder has gone."""
        folder = Path(self._meta.get("recipe_folder", "/dev/null"))
        return folder if folder.is_dir() else None

    def seeds(self) -> list[Seed]:
        """The seeds as the run had them; none where their file has gone, or is another than it was then."""
        spec, folder = self.lock.recipe.get("seeds"), self.recipe_folder
        if spec is None or folder is None:
            return []
        try:
            seeds = read_seeds(SeedsSpec(**spec), folder)
        except (UsageError, OSError):
            return []
        same = self.lock.seeds.get(spec["path"]) == fingerprint([[seed.id, seed.fields] for seed in seeds])
        return list(seeds) if same else []

    def calls(self, unit: str) -> list[Json]:
        """Every call of a unit in the order in which they were answered, with request and response."""
        rows = self._db.execute(
            "SELECT id, model, request, response, input_tokens, output_tokens, cost_usd, seconds, tries, source"
            " FROM calls WHERE id > ? AND id < ? ORDER BY rowid",  # an id is unit/key, and this is the primary key
            (f"{unit}/", f"{unit}0"),
        )
        names = ("id", "model", "request", "response", "input", "output", "cost_usd", "seconds", "tries", "source")
        calls = [dict(zip(names, row, strict=True)) for row in rows]
        for call in calls:
            call["request"] = orjson.loads(call["request"])
            call["response"] = orjson.loads(call["response"])
        return calls

    def tally(self) -> dict[str, Json]:
        """How far each generator is now, in the words of ``summary.json``."""
        found: dict[str, Json] = {
            spec["id"]: {
                "requested": spec["count"],
                "accepted": 0,
                "attempts": 0,
                "rejected": {},
                "tokens": {"input": 0, "output": 0},
                "cost_usd": 0.0,
            }
            for spec in self.lock.recipe["generate"]
        }
        for name, gate, times in self._db.execute("SELECT generator, gate, COUNT(*) FROM attempts GROUP BY 1, 2"):
            row = found[name]
            row["attempts"] += times
            if gate is None:
                row["accepted"] = times
            else:
                row["rejected"][gate] = times
        for line, sent, received, cost in self._db.execute(
            "SELECT RTRIM(unit, '0123456789'), SUM(input_tokens), SUM(output_tokens), COALESCE(SUM(cost_usd), 0)"
            " FROM calls WHERE source = 'sent' GROUP BY 1"
        ):
            if (own := found.get(generator_of(line))) is not None:  # personas and embeddings are of no generator
                own["tokens"]["input"] += sent
                own["tokens"]["output"] += received
                own["cost_usd"] = round(own["cost_usd"] + cost, 6)
        return found

    def find_unit(self, words: str) -> str:
        """The id of a unit that was begun, from what a user wrote: ``maths-7`` is ``maths-000007``.

        Raises ``UsageError`` with what was probably meant.
        """
        match = _UNIT.fullmatch(words.partition("/")[0])
        if match is None or match["generator"] not in self.generators:
            generator = match["generator"] if match else words
            hint = did_you_mean(generator, self.generators, "generators")
            raise UsageError(f"{self.folder} has no example {words!r}: an id is a generator's and a number", hint=hint)
        unit = f"{match['generator']}-{int(match['index']):06d}"
        for table in ("attempts", "calls"):
            if self._db.execute(f"SELECT 1 FROM {table} WHERE unit = ? LIMIT 1", (unit,)).fetchone():  # noqa: S608
                return unit
        newest = self._db.execute(
            "SELECT MAX(unit) FROM attempts WHERE generator = ?", (match["generator"],)
        ).fetchone()[0]
        hint = (
            f"{match['generator']} has attempts up to {newest}"
            if newest
            else f"{match['generator']} has no attempts yet"
        )
        raise UsageError(f"{self.folder} has no example {unit!r}", hint=hint)


def _placed(found: tuple[str, str | None, bytes, int, int, str | None]) -> PlacedAttempt:
    unit, gate, row, place, provisional, text = found
    return PlacedAttempt(unit, gate, orjson.loads(row), place, bool(provisional), text)


def _open(path: Path) -> sqlite3.Connection:
    # Without a log beside it the file is whole and nobody writes; read as immutable, it leaves no files behind.
    logged = path.with_name(path.name + "-wal").exists()
    mode = "mode=ro" if logged else "immutable=1"
    return sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=10)


def _holds_lock(path: Path) -> bool:
    """Whether some process holds the lock on a run folder."""
    try:
        import fcntl

        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return False
    return False


def _runs_near(folder: Path) -> str:
    places = {folder, folder / "runs", folder.parent, Path("runs")}
    runs = sorted({str(found.parent) for place in places for found in place.glob("*/run.sqlite")})
    if runs:
        return did_you_mean(str(folder), runs[:50], "runs")
    return "a run's folder is runs/<name of the recipe>, or what --run-dir said"
