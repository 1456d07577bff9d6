"""Random tool calls for ``synth envs check``: most of them sensible, for their values come from the state.

A call is drawn around one record of the state (an order, a person) and what it refers to, so that its ids belong
together. Others are wrong on purpose, in the ways in which agents are wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import orjson

from synth.environments.vocabulary import ToolSpec
from synth.messages import Json

_ODD: list[Any] = [
    "", " ", "none", "null", "0", "'; DROP TABLE users; --", "../../etc/passwd", "x" * 2000, "日本語 \u202e ñ", "a\nb",
    "\u0000",
    0, -1, 1, 2**31, 2**63 - 1, -0.5, 1e308, True, None, [], {}, [[]], {"a": {"b": []}},
]  # fmt: skip
_FALLBACK_NOW = "2026-01-05T09:00"
_DEPTH = 6
_COMMON = 40
"""A text that more records have in common is a word, no reference."""
_KEYS = "@key"


@dataclass(frozen=True, slots=True)
class _Record:
    table: str
    key: str
    value: Any


class Pool:
    """The values of a state, by the names of what they are."""

    def __init__(self, state: Json) -> None:
        self._everything = _named(state)
        self._records = [record for table, value in state.items() for record in _records(table, value)]
        self._linked: dict[str, list[_Record]] = defaultdict(list)
        for record in self._records:
            for text in {record.key, *_texts(record.value)}:
                self._linked[text].append(record)
        self.now = next((text for text in self._everything.get("now", []) if isinstance(text, str)), _FALLBACK_NOW)

    def around(self, rng: Random) -> dict[str, list[Any]]:
        """The named values of one record, and of one of each other table that it refers to or that refers to it."""
        if not self._records:
            return {}
        chosen = [rng.choice(self._records)]
        tables = {chosen[0].table}
        for record in chosen:  # grows on the way
            for text in sorted({record.key, *_texts(record.value)}):
                others = [other for other in self._linked[text] if other.table not in tables]
                if others and len(others) <= _COMMON:
                    chosen.append(rng.choice(others))
                    tables.add(chosen[-1].table)
        found: dict[str, list[Any]] = {_KEYS: [record.key for record in chosen if record.key]}
        for record in chosen:
            for name, values in _named(record.value).items():
                found.setdefault(name, []).extend(values)
        return found

    def values(self, name: str, near: dict[str, list[Any]], rng: Random) -> Sequence[Any]:
        """What a parameter of this name may mean, nearest first; empty where nothing in the state is called so."""
        for source in (near, self._everything) if rng.random() < 0.85 else (self._everything,):
            for alias in _aliases(name):
                if source.get(alias):
                    return source[alias]
        last = f"_{_singular(name).rpartition('_')[2]}"
        return next((values for key, values in near.items() if key.endswith(last) and values), ())


def draw_call(rng: Random, tools: Sequence[ToolSpec], pool: Pool) -> tuple[str, str]:
    """A tool's name and the JSON text of its arguments; about one in four is wrong in some way."""
    tool = rng.choice(tools)
    near = pool.around(rng)
    arguments = _object(rng, tool.tool.parameters, pool, near, 0)
    if rng.random() >= 0.25:
        return tool.name, orjson.dumps(arguments).decode()
    match rng.randrange(6):
        case 0:
            return tool.name + "s", "{}"
        case 1:
            return tool.name, rng.choice(["", "{", "[]", "null", '"text"', "{'a': 1}", "not json", '{"a": NaN}'])
        case 2 if arguments:
            del arguments[rng.choice(list(arguments))]
        case 3:
            arguments[rng.choice(["unknown", "id", "reason", "self", "state"])] = rng.choice(_ODD)
        case _ if arguments:
            arguments[rng.choice(list(arguments))] = rng.choice(_ODD)
    return tool.name, orjson.dumps(arguments).decode()


def draw_value(rng: Random, schema: Any, pool: Pool, near: dict[str, list[Any]], name: str = "", depth: int = 0) -> Any:
    """An instance of the usual kinds of JSON Schema."""
    if not isinstance(schema, dict) or depth > _DEPTH:
        return None
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return rng.choice(schema["enum"])
    if schema.get("examples") and rng.random() < 0.9:
        return rng.choice(schema["examples"])
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return draw_value(rng, rng.choice(schema[key]), pool, near, name, depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = rng.choice(kind)
    match kind:
        case "object":
            return _object(rng, schema, pool, near, depth)
        case "array":
            least = schema.get("minItems", 0)
            count = max(least, rng.choice([1, 1, 1, 1, 1, 2, 3]))
            return [draw_value(rng, schema.get("items"), pool, near, name, depth + 1) for _ in range(count)]
        case "integer" | "number":
            return _number(rng, schema, pool, near, name, whole=kind == "integer")
        case "boolean":
            return rng.random() < 0.5
        case "null":
            return None
        case _:
            return _text(rng, schema, pool, near, name)


def _object(rng: Random, schema: Json, pool: Pool, near: dict[str, list[Any]], depth: int) -> Json:
    required = schema.get("required", ())
    made: Json = {}
    for name, inner in schema.get("properties", {}).items():
        if name in required or rng.random() < 0.5:
            value = draw_value(rng, inner, pool, near, name, depth + 1)
            if value is not None or name in required:
                made[name] = value
    return made


def _number(
    rng: Random, schema: Json, pool: Pool, near: dict[str, list[Any]], name: str, *, whole: bool
) -> int | float:
    wanted = int if whole else (int, float)
    known = [value for value in pool.values(name, near, rng) if isinstance(value, wanted) and type(value) is not bool]
    if known and rng.random() < 0.6:
        return rng.choice(known)
    low, high = schema.get("minimum", 1), schema.get("maximum", 100)
    if whole:
        return rng.choice([15, 30, 60]) if name == "minutes" else rng.randint(int(low), max(int(low), int(high)))
    return round(rng.uniform(low, high), 2)


def _text(rng: Random, schema: Json, pool: Pool, near: dict[str, list[Any]], name: str) -> str:
    shape = schema.get("format")
    if shape in ("date", "date-time"):
        return _moment(rng, pool.now, whole_day=shape == "date")
    known = [value for value in pool.values(name, near, rng) if isinstance(value, str)]
    if known:
        return rng.choice(known)
    if near.get(_KEYS) and rng.random() < 0.6:
        return str(rng.choice(near[_KEYS]))
    texts = [value for values in near.values() for value in values if isinstance(value, str)]
    return rng.choice(texts) if texts and rng.random() < 0.7 else rng.choice(["a", "test", "the last one", "7"])


def _moment(rng: Random, now: str, *, whole_day: bool) -> str:
    day = date.fromisoformat(now[:10]) + timedelta(days=rng.randrange(0, 25))
    if whole_day:
        return day.isoformat()
    at = datetime(day.year, day.month, day.day, rng.randrange(7, 18), rng.choice([0, 30]))
    return at.isoformat(timespec="minutes")


def _records(table: str, value: Any) -> Iterator[_Record]:
    if isinstance(value, dict):
        yield from (_Record(table, str(key), inner) for key, inner in value.items() if isinstance(inner, dict | list))
    elif isinstance(value, list):
        yield from (_Record(table, "", inner) for inner in value if isinstance(inner, dict))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value that may refer to something, keys included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str) and value:
        yield value


def _named(value: Any, name: str = "") -> dict[str, list[Any]]:
    """Scalars by the key they stand under, and the keys of a collection by the name of one of its members."""
    found: dict[str, list[Any]] = defaultdict(list)
    _collect(value, name, found, 0)
    return found


def _collect(value: Any, name: str, found: dict[str, list[Any]], depth: int) -> None:
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        if name.endswith("s"):
            found[_singular(name)].extend(value)
        for key, inner in value.items():
            _collect(inner, str(key), found, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, _singular(name), found, depth + 1)
    elif value is not None:
        found[name].append(value)


def _aliases(name: str) -> Iterator[str]:
    """``new_item_ids``: itself, ``new_item_id``, ``new_item``, ``item_id``, ``item``, …"""
    words = _singular(name).split("_")
    yield name
    while words:
        yield "_".join(words)
        if words[-1] == "id" and len(words) > 1:
            yield "_".join(words[:-1])
        words = words[1:]


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name
