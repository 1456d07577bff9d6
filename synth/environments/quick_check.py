"""A quick yes for arguments that satisfy the usual kind of schema.

A JSON Schema validator takes tens of microseconds for what is nearly always right. Here a yes is certain, and anything
else is left to the validator, which also finds the words for what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synth.messages import Json

Check = Callable[[Any], bool]

_SAYS_NOTHING = {"description", "title", "default", "examples"}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def compile_check(schema: Any) -> Check:
    """A function that is true only of instances of ``schema``, and false where it does not know."""
    if not isinstance(schema, dict):
        return _unknown
    kind = schema.get("type")
    keys = schema.keys() - _SAYS_NOTHING - {"type"}
    if kind == "object" and keys <= {"properties", "required", "additionalProperties"}:
        return _object(schema)
    if kind == "array" and keys <= {"items"}:
        item = compile_check(schema.get("items"))
        return lambda value: type(value) is list and all(map(item, value))
    if kind == "string" and keys == {"enum"} and isinstance(schema["enum"], list):
        texts = frozenset(text for text in schema["enum"] if isinstance(text, str))
        return lambda value: type(value) is str and value in texts
    if isinstance(kind, str) and kind in _TYPES and not keys:
        types = _TYPES[kind]
        return lambda value: type(value) in types
    return _unknown


def _object(schema: Json) -> Check:
    properties, required = schema.get("properties"), schema.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        return _unknown
    checks = {name: compile_check(inner) for name, inner in properties.items()}

    def check(value: Any) -> bool:
        return (
            type(value) is dict
            and all(name in value for name in required)
            and all(name in checks and checks[name](inner) for name, inner in value.items())
        )

    return check


def _unknown(_: Any) -> bool:
    return False
