"""Arguments of tool calls that stand in an environment's state, drawn so that they belong together.

A call is drawn around one record (an order, a person) and the records that it is linked with. What stands together in
the state as one form (the lines of an address) is taken from one place.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from synth.environments.environment import Environment
from synth.messages import Json

_FORM = 3
"""So many parameters must stand in one object of the state for it to count as a form."""
_LONGEST = 80
"""Characters; nobody tells a longer text, or one of several lines, in a chat."""
_AMOUNTS = (5, 10, 15, 20, 25, 40, 60)

_NAMES_A = re.compile(r"\b(?:(?:path|name|id) of|or) (?:an?|the) (?:[A-Z]+ )?(\w+)")
"""A parameter whose description says "Absolute path of a CSV file" means one of the state's files."""

Near = Mapping[str, list[Any]]
"""Values by the names that they stand under, in one record and in those that it is linked with."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a table of the state; ``key`` is its id."""

    table: str
    key: str
    value: Json


class Grounds:
    """What may be asked for in one state."""

    def __init__(self, state: Json) -> None:
        self.records = [
            Record(table, key, value)
            for table, entries in state.items()
            for key, value in _entries(table, entries)
            if isinstance(value, dict)
        ]
        self.keys = {record.key for record in self.records}
        self.ids = self.keys | set(_named_ids(state))
        """Every id of the state: the keys of its tables, and what stands under a name such as ``item_id``."""
        self._lists = {_stem(name): value for name, value in state.items() if isinstance(value, list)}
        self._objects = [found for record in self.records for found in _objects(record.value, record.table)]
        self._mentions = [self._mentioned(record) for record in self.records]
        self._linked: dict[str, list[int]] = defaultdict(list)
        for place, mentioned in enumerate(self._mentions):
            for key in mentioned:
                self._linked[key].append(place)
        self._named = [[(_stem(name), value) for name, value in _walk(record.value)] for record in self.records]
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, record in enumerate(self.records):
            self._places[record.table].append(place)

    def around(self, rng: random.Random) -> Near:
        """The named values of one record, and of one of each other table, linked where there is a link."""
        if not self.records:
            return {}
        chosen = [rng.randrange(len(self.records))]
        tables = {self.records[chosen[0]].table}
        for place in chosen:  # grows on the way
            for key in self._mentions[place]:
                others = [other for other in self._linked[key] if self.records[other].table not in tables]
                if others:
                    chosen.append(rng.choice(others))
                    tables.add(self.records[chosen[-1]].table)
            if place == chosen[-1] and (others := self._outside(tables)):
                chosen.append(rng.choice(others))  # of a table that nothing leads to
                tables.add(self.records[chosen[-1]].table)
        near: dict[str, list[Any]] = defaultdict(list)
        for place in chosen:
            near[_stem(self.records[place].table)].append(self.records[place].key)
            for stem, value in self._named[place]:
                near[stem].append(value)
        for name, values in self._lists.items():
            near[name] += [value for value in values if isinstance(value, str)]
        return near

    def _outside(self, tables: set[str]) -> list[int]:
        """The places of the records of all other tables."""
        return [place for table, places in self._places.items() if table not in tables for place in places]

    def _mentioned(self, record: Record) -> list[str]:
        return sorted({record.key, *(text for text in _texts(record.value) if text in self.keys)})

    def owners(self, key: str) -> list[str]:
        """The ids that the record with this key names at its top: of an order, its customer."""
        return [
            value
            for record in self.records
            if record.key == key
            for value in record.value.values()
            if isinstance(value, str) and value != key and value in self.keys
        ]

    def table_of(self, key: str) -> set[str]:
        """All ids of the table that has this one."""
        table = next((record.table for record in self.records if record.key == key), "")
        return {record.key for record in self.records if record.table == table}

    def forms(self, names: Sequence[str]) -> list[Json]:
        """Every object of the state that holds several of these names, and is no table's entry."""
        wanted = set(names)
        return [found for _, found in self._objects if len(wanted & found.keys()) >= _FORM]

    def form_in(self, arguments: Mapping[str, Any]) -> tuple[str, list[str]] | None:
        """What the state calls the form that these arguments fill in, and which of them it holds."""
        for name, found in self._objects:
            if len(parts := [part for part in arguments if part in found and part not in self.ids]) >= _FORM:
                return name, parts
        return None

    def draw(self, parameters: Json, near: Near, rng: random.Random) -> Json | None:
        """Arguments for a tool with this schema; None where a required one stands nowhere near."""
        properties: Json = parameters.get("properties", {})
        required = set(parameters.get("required", ()))
        arguments: Json = {}
        if forms := self.forms(list(properties)):
            form = rng.choice(forms)
            arguments = {name: form[name] for name in properties if form.get(name) not in (None, "")}
        for name, schema in properties.items():
            if name in arguments or (name not in required and rng.random() < 0.8):
                continue
            value = self._draw_value(name, schema, parameters.get("$defs", {}), near, rng)
            if value is None and name in required:
                return None
            if value is not None:
                arguments[name] = value
        given = [value for value in arguments.values() if isinstance(value, str | list)]
        repeated = any(value == other for number, value in enumerate(given) for other in given[:number])
        return arguments if required <= arguments.keys() and not repeated else None

    def _draw_value(self, name: str, schema: Json, defs: Json, near: Near, rng: random.Random) -> Any:
        """A value for one parameter, or None."""
        if "$ref" in schema:
            schema = defs[schema["$ref"].rpartition("/")[2]]
        options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
        if options:
            return self._draw_value(name, rng.choice(options), defs, near, rng)
        if "enum" in schema:
            return rng.choice(schema["enum"])
        known = near_values(name, schema, near)
        match schema.get("type"):
            case "string":
                texts = [
                    value
                    for value in known
                    if isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()
                ]
                return rng.choice(texts) if texts else None
            case "integer" | "number":
                numbers = [value for value in known if isinstance(value, int | float) and not isinstance(value, bool)]
                if numbers and rng.random() < 0.5:
                    return rng.choice(numbers)
                low, high = schema.get("minimum", 1), schema.get("maximum", 100)
                return rng.choice([amount for amount in _AMOUNTS if low <= amount <= high] or [low])
            case "boolean":
                return rng.random() < 0.5
            case "array":
                item = self._draw_value(name, schema.get("items", {}), defs, near, rng)
                return None if item is None else [item]
            case "object":
                return self.draw({"$defs": defs, **schema}, near, rng) or None
        return None


async def find_grounds(environment: Environment) -> Grounds:
    """The grounds of the state that ``environment`` is in; found once for each of the last states, for that takes
    longer than a conversation."""
    return _find_grounds(orjson.dumps(await environment.state()))


@lru_cache(maxsize=64)
def _find_grounds(state: bytes) -> Grounds:
    return Grounds(orjson.loads(state))


def near_values(name: str, schema: Json, near: Near) -> list[Any]:
    """What a parameter may mean: by its name, or else by what its description calls it."""
    meant = _NAMES_A.findall(schema.get("description", ""))
    return next(filter(None, (_named_so(one, near) for one in [name, *meant])), [])


def _named_so(name: str, near: Near) -> list[Any]:
    """What ``new_item_ids`` may mean: what stands under ``item_id`` or ``items``, and what looks like one of those."""
    words = _stem(name).split("_")
    for start in range(len(words)):
        found = near.get("_".join(words[start:]), [])
        if found:
            break
    else:
        return []
    if start == 0:
        return found
    shapes = {_shape(value) for value in found if isinstance(value, str)}
    alike = [v for values in near.values() for v in values if isinstance(v, str) and _shape(v) in shapes]
    return [*dict.fromkeys(alike)] or found


@lru_cache(maxsize=4096)
def _stem(name: str) -> str:
    """``order_id``, ``orders`` and ``order_ids`` are about the same thing, as are ``city_id`` and ``cities``."""
    stem = re.sub(r"_?(ids?|number|code|name)$", "", name.lower()) or name.lower()
    stem = stem[:-1] if stem.endswith("s") and not stem.endswith("ss") and len(stem) > 3 else stem
    stem = re.sub(r"people$", "person", re.sub(r"ie$", "y", stem))
    return re.sub(r"(ss|x|ch|sh)e$", r"\1", stem)


@lru_cache(maxsize=65536)
def _shape(text: str) -> str:
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "0", text))


def _entries(table: str, entries: Any) -> Iterable[tuple[str, Any]]:
    """The entries of a table by their ids: those of a list say it themselves, as ``id``, ``ticket_id`` or the like."""
    if isinstance(entries, dict):
        return entries.items()
    return _named_entries(table, entries) if isinstance(entries, list) else ()


def _named_entries(table: str, entries: list[Any]) -> Iterator[tuple[str, Any]]:
    for entry in entries:
        for name, value in entry.items() if isinstance(entry, dict) else ():
            if re.search(r"(^|_)(id|number|code)$", name) and _stem(name) in ("id", _stem(table)):
                yield str(value), entry
                break


def _walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, dict) and key:
                yield key, name
            yield from _walk(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, key)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield key, value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str) and value:
        yield value


def _named_ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str) and name.endswith("_id"):
                yield inner
            if isinstance(inner, dict) and re.search(r"\d", name):
                yield name
            yield from _named_ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named_ids(inner)


def _objects(value: Any, name: str = "") -> Iterator[tuple[str, Json]]:
    """Every object that stands under a name in another one, with its name; not the entries of tables."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict) and name:
                yield key, inner
            yield from _objects(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner, name)
