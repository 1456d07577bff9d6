"""What mock tools have said in one conversation, so that they keep to it.

A call seen before has the same answer, until a write touches something that it was about. An answer that gives other
values to an entity that was described before is a contradiction. An entity is an object with an id; which of several
ids is its own is told by the call's arguments where they name one (SYNTHAGENT keeps call and answer only).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from synth.environments.vocabulary import ToolSpec
from synth.fingerprint import canonical_json
from synth.messages import Json

Scalar = str | int | float | bool
Entity = tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A call and its answer. ``key`` identifies the call."""

    key: bytes
    tool: str
    arguments: Json
    answer: Any
    writes: bool


class Memory:
    """``calls`` in the order in which they were answered; a repeated call is in it once."""

    def __init__(self) -> None:
        self.calls: list[Remembered] = []
        self._answers: dict[bytes, Remembered] = {}
        self._facts: dict[Entity, dict[str, Scalar]] = {}

    def recall(self, key: bytes) -> Remembered | None:
        return self._answers.get(key)

    def contradiction(self, tool: ToolSpec, arguments: Json, answer: Any) -> str:
        """What in ``answer`` is not what was said before; empty when nothing is."""
        touched = set(_scalars(arguments)) if tool.writes else set()
        for entity, facts in _entities(answer, arguments, tool.name):
            if any(value in touched for _, value in entity):
                continue
            known = self._facts.get(entity, {})
            for name, value in facts.items():
                if name in known and known[name] != value:
                    shown = ", ".join(f"{key} {value}" for key, value in entity)
                    return f"{name} of {shown} was {_shown(known[name])} before, and is {_shown(value)} now"
        return ""

    def remember(self, said: Remembered) -> None:
        if said.writes:
            self._forget(set(_scalars(said.arguments)) | {v for k, v in _keyed(said.answer) if _is_id(k)})
        self.calls.append(said)
        self._answers[said.key] = said
        for entity, facts in _entities(said.answer, said.arguments, said.tool):
            self._facts.setdefault(entity, {}).update(facts)

    def _forget(self, touched: set[Scalar]) -> None:
        """What was about something that a write has touched may have another answer now; what was written, too: on, off
        and on again are three writes. The write itself is remembered after this, and so answers its repetition."""
        for key, said in list(self._answers.items()):
            about = set(_scalars(said.arguments)) | {value for name, value in _keyed(said.answer) if _is_id(name)}
            if about & touched:
                del self._answers[key]
        for entity in list(self._facts):
            if any(value in touched for _, value in entity):
                del self._facts[entity]


def call_key(tool: ToolSpec, arguments: Json) -> bytes:
    """Equal for calls that mean the same: key order, ``2`` or ``2.0``, a default given or left out do not matter."""
    return canonical_json([tool.name, _normal({**tool.defaults, **arguments})])


def _normal(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {key: _normal(inner) for key, inner in value.items()}
    return [_normal(inner) for inner in value] if isinstance(value, list) else value


def _is_id(name: str) -> bool:
    return name.lower() in {"id", "uuid"} or name.endswith(("_id", "Id", "_uuid"))


def _entities(value: Any, arguments: Json, name: str) -> Iterator[tuple[Entity, dict[str, Scalar]]]:
    """Objects with an id, and their scalar fields. ``name`` is the key they stand under, or the tool."""
    if isinstance(value, list):
        for item in value:
            yield from _entities(item, arguments, name)
    if not isinstance(value, dict):
        return
    scalars: dict[str, Scalar] = {key: inner for key, inner in value.items() if isinstance(inner, Scalar)}
    ids = [key for key in scalars if _is_id(key)]
    named = [key for key in ids if arguments.get(key) == scalars[key]]
    plain = [key for key in ids if key.lower() in {"id", "uuid"}]
    own = plain[:1] if plain else named[:1] if len(named) == 1 else ids
    if own:
        # A bare "id" says nothing of what it is the id of.
        entity = tuple((f"{name}.{key}" if key in plain else key, scalars[key]) for key in own)
        yield entity, {key: inner for key, inner in scalars.items() if key not in own}
    for key, inner in value.items():
        yield from _entities(inner, arguments, key)


def _keyed(value: Any) -> Iterator[tuple[str, Scalar]]:
    if isinstance(value, list):
        for item in value:
            yield from _keyed(item)
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, Scalar):
                yield key, inner
            yield from _keyed(inner)


def _scalars(value: Any) -> Iterator[Scalar]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _scalars(inner)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield value


def _shown(value: Any) -> str:
    return orjson.dumps(value).decode()
