"""How a person names what has an id: a thing in a tool's result, and a tool's parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from synth.messages import Json

_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese, and Korean, which joins particles to a word."""


def describe(result: Any, wanted: str, *, named: bool = False) -> str:
    """How a person names the thing with this id in a tool's result: by its name and options, or else by all its words
    unless only ``named`` things will do.

    Empty where the result does not tell it from its neighbours.
    """
    things = {(kind, key): _words(thing) for kind, key, thing in _things(result) if not named or _name(thing)}
    for (kind, key), said in things.items():
        if key == wanted and said:
            alike = [other for (same, _), other in things.items() if same == kind]
            return said if alike.count(said) == 1 else ""
    return ""


def _things(value: Any, under: str = "") -> Iterator[tuple[str, str, Json]]:
    """What has an id: what kind of id it is, by the names it stands under, the id, and the thing."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, dict):
                yield f"{under}/", name, inner
            elif isinstance(inner, str) and name.endswith("_id"):
                yield name, inner, value
            yield from _things(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _things(inner, under)


def _name(thing: Json) -> Any:
    return thing.get("name") or thing.get("title")


def _words(thing: Json) -> str:
    name = _name(thing)
    inner = [text for value in thing.values() if isinstance(value, dict) for text in _scalars(value)]
    if name:
        return f"{name} ({', '.join(inner)})" if inner else str(name)
    plain = [
        f"ending in {value}" if key == "last4" else value
        for key, value in thing.items()
        if isinstance(value, str) and not key.endswith("_id")
    ]
    return " ".join([*plain, *inner]).replace("_", " ")


def _scalars(value: Json) -> list[str]:
    return [text for text in value.values() if isinstance(text, str)]


def states(text: str, value: str) -> bool:
    """Whether a text, or one in JSON, says this value and not only a longer word or number that it is a part of."""
    value = value.casefold()
    before = r"(?:(?<!\w)|(?<=\\[bfnrt]))" if _has_border(value[:1]) else ""
    after = r"(?!\w)" if _has_border(value[-1:]) else ""
    return re.search(before + re.escape(value) + after, text.casefold()) is not None


def _has_border(character: str) -> bool:
    """Whether words that have it at an end stand apart: signs do not, nor what is written without spaces."""
    return character.isalnum() and _UNSPACED.match(character) is None


def label(name: str) -> str:
    """A parameter's name as a person says it: ``order_id`` is an order number."""
    words = re.sub(r"s$", "", name) if name.endswith("_ids") else name
    words = re.sub(r"_?line_?1$", "street and number", re.sub(r"_?line_?2$", "apartment or floor", words))
    words = re.sub(r"^(payment_method|item|new_item)_id$", r"\1", words)
    return re.sub(r"\bid\b", "number", words.replace("_", " ").strip())


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value, the keys of objects included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, str) and value:
        yield value
