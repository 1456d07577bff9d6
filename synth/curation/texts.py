"""The texts within a row: columns, lists, and what was said in messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from synth.messages import Json

_SAID = frozenset({"content", "value"})


def texts_of(data: Mapping[str, Any], fields: Sequence[str] = ()) -> list[str]:
    """Every text of the ``fields`` (none: of all), also in lists. Of a message only what was said: roles, names and ids
    are no texts."""
    return list(_walk(data.values() if not fields else [data[name] for name in data if name in fields]))


def with_texts(data: Json, texts: Sequence[str], fields: Sequence[str] = ()) -> Json:
    """``data`` with other ``texts``, as many as and in the order in which :func:`texts_of` gives them."""
    left = iter(texts)
    change: Callable[[str], str] = lambda _: next(left)  # noqa: E731 - a method of an iterator would take no argument
    return {name: _changed(value, change) if not fields or name in fields else value for name, value in data.items()}


def _walk(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from _walk(value)
        elif isinstance(value, dict):
            said = _SAID & value.keys()
            yield from _walk(item for key, item in value.items() if not said or key in said)


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    if isinstance(value, dict):
        said = _SAID & value.keys()
        return {key: _changed(item, change) if not said or key in said else item for key, item in value.items()}
    return value
