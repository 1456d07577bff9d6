"""JSON Schemas of tools, as libraries and servers write them, made plain."""

from __future__ import annotations

from typing import Any

from synth.messages import Json


def plain_schema(schema: Json) -> Json:
    """The parameters of a tool, made plain. Raises as ``make_plain`` does."""
    simple = make_plain(schema)
    simple.setdefault("properties", {})
    return simple


def make_plain(schema: Json) -> Json:
    """A schema as models read it best: no titles, references resolved, ``| None`` with the default None left out.

    Raises ``TypeError`` for a type that contains itself, ``KeyError`` for a reference to what is not in its ``$defs``.
    """
    definitions = schema.get("$defs", {})
    simple: Json = _simplify({key: value for key, value in schema.items() if key != "$defs"}, definitions, ())
    return simple


def _simplify(schema: Any, definitions: Json, within: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [_simplify(item, definitions, within) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        if name in within:
            raise TypeError(f"{name} contains itself")
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _simplify({**definitions[name], **beside}, definitions, (*within, name))
    made: Json = {}
    for key, value in schema.items():
        if key == "properties":
            made[key] = {name: _simplify(inner, definitions, within) for name, inner in value.items()}
        elif key in ("enum", "const", "default", "examples"):
            made[key] = value
        elif key != "title" or not isinstance(value, str):
            made[key] = _simplify(value, definitions, within)
    if made.get("default", ...) is None:
        del made["default"]
        forms = [form for form in made.get("anyOf", []) if form != {"type": "null"}]
        if len(forms) == 1:
            del made["anyOf"]
            made = {**forms[0], **made}
        elif forms:
            made["anyOf"] = forms
    return made
