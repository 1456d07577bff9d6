"""The texts within a row: what was said in it, which is cleaned, and all that may tell of somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from synth.curation.roles import ROLES
from synth.messages import Json

Change = Callable[[str], str]

_SAID = frozenset({"content", "value", "reasoning_content"})
_LEAST, _MOST = 10**7, 10**16
"""Numbers that tell of somebody, such as a telephone's or a card's, have eight to sixteen digits; hashes have more."""


def texts_of(data: Mapping[str, Any], fields: Sequence[str] = ()) -> list[str]:
    """Every text of the ``fields`` (none: of all), also in lists. Of a message only what was said and thought: roles,
    names, ids and what tools are called with are no texts."""
    return list(_walk(data.values() if not fields else [data[name] for name in data if name in fields]))


def with_texts(data: Json, texts: Sequence[str], fields: Sequence[str] = ()) -> Json:
    """``data`` with other ``texts``, as many as and in the order in which :func:`texts_of` gives them."""
    left = iter(texts)
    change: Change = lambda _: next(left)  # noqa: E731 - a method of an iterator would take no argument
    return {name: _changed(value, change) if not fields or name in fields else value for name, value in data.items()}


def all_texts(value: Any) -> list[str]:
    """Every text that :func:`map_texts` would change, in its order."""
    texts: list[str] = []

    def note(text: str) -> str:
        texts.append(text)
        return text

    map_texts(value, note)
    return texts


def map_texts(value: Any, change: Change) -> Any:
    """``value`` with ``change`` made to every text in it that may tell of somebody, also in lists and mappings.

    What links and names the parts of a chat stays: roles, ids of calls, names of functions; and so do numbers that are
    a row's id or time. A whole number of eight to sixteen digits is a text of its digits, and a number again where
    ``change`` leaves digits.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [map_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {key: item if _links(key, item, value) else _mapped(key, item, change) for key, item in value.items()}
    if isinstance(value, int | float) and _LEAST <= value < _MOST and value == int(value):
        changed = change(digits := str(int(value)))
        return value if changed == digits else int(changed) if changed.isdecimal() else changed
    return value


def map_arguments(arguments: str, change: Change) -> str:
    """What a tool is called with: JSON is changed in its values, so that it stays JSON; what is none as any text."""
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return change(arguments)
    changed = map_texts(value, change)
    return arguments if changed == value else orjson.dumps(changed).decode()


def _mapped(key: str, item: Any, change: Change) -> Any:
    return map_arguments(item, change) if key == "arguments" and isinstance(item, str) else map_texts(item, change)


def _links(key: str, item: Any, part: Json) -> bool:
    """Whether ``key`` of a message, a call or a function has no text of its own, or that of a row a number of it."""
    match key:
        case "role" | "from":
            return isinstance(item, str) and item in ROLES
        case "tool_call_id":
            return True
        case "id":
            return "function" in part or str(item).isdecimal()
        case "type":
            return "function" in part
        case "name":
            return "arguments" in part or part.get("role") == "tool"
        case "row_id" | "seed_id" | "timestamp" | "created_at" | "updated_at":
            return str(item).isdecimal()
        case _:
            return False


def _walk(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from _walk(value)
        elif isinstance(value, dict):
            said = _SAID & value.keys()
            yield from _walk(item for key, item in value.items() if not said or key in said)


def _changed(value: Any, change: Change) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    if isinstance(value, dict):
        said = _SAID & value.keys()
        return {key: _changed(item, change) if not said or key in said else item for key, item in value.items()}
    return value
