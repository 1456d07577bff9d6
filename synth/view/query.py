"""What someone asks of the index: filters, an order and a page, and the SQL that answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from synth.errors import UsageError
from synth.messages import Json
from synth.view.words import match_expression

MOST_ROWS = 200
_MOST_VALUES = 60
_ORDERS = {
    "plan": "rows.n",
    "newest": "rows.n DESC",
    "longest": "rows.length DESC, rows.n",
    "shortest": "rows.length, rows.n",
    "highest": "by_score.value DESC, rows.n",
    "lowest": "by_score.value, rows.n",
}


@dataclass(frozen=True, slots=True)
class Query:
    """Which attempts, in which order. ``attributes`` are (name, value) pairs that all must hold; ``least`` and
    ``most`` bound the score named ``score``."""

    search: str = ""
    generator: str | None = None
    verdict: str | None = None
    gate: str | None = None
    seed: str | None = None
    mark: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    score: str | None = None
    least: float | None = None
    most: float | None = None
    order: str = "plan"

    @classmethod
    def parse(cls, asked: Mapping[str, str], attributes: list[str]) -> Query:
        """From an address's parameters; ``attributes`` are ``name=value``. Raises ``UsageError``."""
        order = asked.get("order") or "plan"
        if order not in _ORDERS or (order in {"highest", "lowest"} and not asked.get("score")):
            raise UsageError(f"there is no order {order!r}")
        return cls(
            search=asked.get("q", ""),
            generator=asked.get("generator") or None,
            verdict=asked.get("verdict") or None,
            gate=asked.get("gate") or None,
            seed=asked.get("seed") or None,
            mark=asked.get("mark") or None,
            attributes=tuple((one.partition("=")[0], one.partition("=")[2]) for one in attributes if "=" in one),
            score=asked.get("score") or None,
            least=_number(asked.get("least")),
            most=_number(asked.get("most")),
            order=order,
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list, without what it says."""

    unit: str
    generator: str
    gate: str | None
    seed: str | None
    length: int
    score: float | None


class IndexReader:
    """Asks the index at ``path``. One for each thread."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10, check_same_thread=False)

    def close(self) -> None:
        self._db.close()

    def page(self, query: Query, first: int, most: int) -> tuple[int, list[Listed]]:
        """How many there are in all, and ``most`` of them from ``first`` on."""
        source, values = _source(query)
        total = self._db.execute(f"SELECT COUNT(*) {source}", values).fetchone()[0]
        score = "by_score.value" if query.score else "NULL"
        rows = self._db.execute(
            "SELECT rows.unit, rows.generator, rows.gate, rows.seed, rows.length,"
            f" {score} {source} ORDER BY {_ORDERS[query.order]} LIMIT ? OFFSET ?",
            (*values, min(most, MOST_ROWS), first),
        )
        return total, [Listed(*row) for row in rows]

    def place_of(self, query: Query, unit: str) -> int | None:
        """Where in the list an attempt stands, in plan order."""
        if query.order != "plan":
            return None
        source, values = _source(query)
        n = self._db.execute("SELECT n FROM rows WHERE unit = ?", (unit,)).fetchone()
        if n is None or not self._db.execute(f"SELECT 1 {source} AND rows.n = ?", (*values, n[0])).fetchone():
            return None
        return int(self._db.execute(f"SELECT COUNT(*) {source} AND rows.n < ?", (*values, n[0])).fetchone()[0])

    def of_seed(self, seed: str, most: int) -> list[Listed]:
        """The attempts made from one seed, the accepted first."""
        rows = self._db.execute(
            "SELECT unit, generator, gate, seed, length, NULL FROM rows"
            " WHERE seed = ? ORDER BY gate IS NOT NULL, n LIMIT ?",
            (seed, most),
        )
        return [Listed(*row) for row in rows]

    def rarest(self, words: list[str], most: int) -> list[str]:
        """Those of some words (in lower case) that the fewest attempts have, but more than one."""
        known = [
            (found[0], word)
            for word in words
            if (found := self._db.execute("SELECT doc FROM words WHERE term = ?", (word,)).fetchone()) and found[0] > 1
        ]
        return [word for _, word in sorted(known)[:most]]

    def alike(self, words: list[str], most: int) -> list[str]:
        """The attempts that share most of some words, the rarest counting most (BM25)."""
        expression = " OR ".join(f'"{word}"' for word in words)
        if not expression:
            return []
        rows = self._db.execute(
            "SELECT rows.unit FROM (SELECT rowid, rank FROM text WHERE text MATCH ? ORDER BY rank LIMIT ?) AS found"
            " JOIN rows ON rows.n = found.rowid ORDER BY found.rank",
            (expression, most),
        )
        return [unit for (unit,) in rows]

    def seed(self, name: str) -> Json | None:
        """The fields of a seed, where they are known."""
        found = self._db.execute("SELECT fields FROM seeds WHERE id = ?", (name,)).fetchone()
        fields: Json | None = None if found is None else orjson.loads(found[0])
        return fields

    def facets(self) -> Json:
        """What can be filtered by, with how many attempts have it."""
        gates = self._db.execute(
            "SELECT gate, COUNT(*) FROM rows WHERE gate IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
        attributes: dict[str, list[Any]] = {}
        for name, value, count in self._db.execute(
            "SELECT name, value, COUNT(*) FROM facts WHERE kind = 'attribute' GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"
        ):
            values = attributes.setdefault(name, [])
            if len(values) < _MOST_VALUES:
                values.append([value, count])
        scores = self._db.execute(
            "SELECT name, MIN(value), MAX(value) FROM facts WHERE kind = 'score' GROUP BY 1 ORDER BY 1"
        ).fetchall()
        generators = [name for (name,) in self._db.execute("SELECT generator FROM rows GROUP BY 1")]
        return {
            "generators": generators,
            "gates": gates,
            "attributes": attributes,
            "scores": scores,
            "marks": self._marks(),
        }

    def tally(self) -> dict[str, dict[str | None, int]]:
        """Attempts by generator and by gate; None is what was accepted."""
        found: dict[str, dict[str | None, int]] = {}
        for name, gate, count in self._db.execute("SELECT generator, gate, COUNT(*) FROM rows GROUP BY 1, 2"):
            found.setdefault(name, {})[gate] = count
        return found

    def spent(self) -> list[Json]:
        """What the calls of each role took, by generator, the most tokens first."""
        names = ("generator", "role", "model", "calls", "input", "output", "cost_usd", "seconds")
        rows = self._db.execute("SELECT * FROM spent ORDER BY input + output DESC")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _marks(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT mark, COUNT(*) FROM marks GROUP BY 1").fetchall())


def _source(query: Query) -> tuple[str, list[Any]]:
    """The FROM and WHERE of a query, and the values for its question marks."""
    joins, wheres = ["FROM rows LEFT JOIN marks USING (unit)"], ["1"]
    joined: list[Any] = []
    values: list[Any] = []
    if query.score:
        joins.append("JOIN facts AS by_score ON by_score.kind = 'score' AND by_score.name = ? AND by_score.n = rows.n")
        joined.append(query.score)
        for bound, sign in ((query.least, ">="), (query.most, "<=")):
            if bound is not None:
                wheres.append(f"by_score.value {sign} ?")
                values.append(bound)
    for column, value in (("generator", query.generator), ("gate", query.gate), ("seed", query.seed)):
        if value is not None:
            wheres.append(f"rows.{column} = ?")
            values.append(value)
    if query.verdict is not None:
        wheres.append("rows.gate IS NULL" if query.verdict == "accepted" else "rows.gate IS NOT NULL")
    if query.mark == "none":
        wheres.append("marks.mark IS NULL")
    elif query.mark == "any":
        wheres.append("marks.mark IS NOT NULL")
    elif query.mark is not None:
        wheres.append("marks.mark = ?")
        values.append(query.mark)
    for name, value in query.attributes:
        wheres.append("rows.n IN (SELECT n FROM facts WHERE kind = 'attribute' AND name = ? AND value = ?)")
        values += [name, value]
    if query.search.strip():
        expression = match_expression(query.search)
        if expression is None:
            wheres.append("0")
        else:
            wheres.append("rows.n IN (SELECT rowid FROM text WHERE text MATCH ?)")
            values.append(expression)
    return f"{' '.join(joins)} WHERE {' AND '.join(wheres)}", [*joined, *values]


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise UsageError(f"{text!r} is no number") from None
