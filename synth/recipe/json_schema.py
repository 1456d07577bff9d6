"""The recipe as a JSON Schema, for editors: ``synth schema`` prints it."""

from __future__ import annotations

from typing import Any

from synth.messages import Json
from synth.recipe.schema import Recipe

_VARIABLE = {"$ref": "#/$defs/Variable"}
_BY_NAME = {"$defs", "patternProperties", "properties"}
_CONSTRAINTS = (
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maximum",
    "maxLength",
    "minimum",
    "pattern",
    "type",
)


def json_schema() -> Json:
    """JSON Schema 2020-12 of a recipe as it is written: every value may also be a ``${VAR}``."""
    schema: Json = _relax(Recipe.model_json_schema(by_alias=True))
    for definition in schema["$defs"].values():
        if {"kind", "count"} <= definition.get("properties", {}).keys():
            definition["required"].remove("count")  # `mix` may give it
    schema["$defs"]["Variable"] = {
        "type": "string",
        "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}",
        "description": "`${VAR}` or `${VAR:-default}`, read from the environment.",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "synth recipe"}


def _relax(schema: Any) -> Any:
    """Let a variable stand for every value that is not free text, and drop titles: they only repeat the keys."""
    if isinstance(schema, list):
        return [_relax(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    relaxed = {
        # Below these, keys are the user's names and not JSON Schema's words.
        key: {name: _relax(item) for name, item in value.items()} if key in _BY_NAME else _relax(value)
        for key, value in schema.items()
        if key not in {"title", "default"}
    }
    if isinstance(schema.get("default"), bool | int | float | str):
        relaxed["default"] = schema["default"]
    if "patternProperties" in schema:
        relaxed["additionalProperties"] = False
    if schema.get("type") in {"integer", "number", "boolean"} or (schema.get("type") == "string" and len(schema) > 1):
        narrow = {key: relaxed.pop(key) for key in _CONSTRAINTS if key in relaxed}
        if set(narrow) != {"type"} or narrow["type"] != "string":
            return {"anyOf": [narrow, _VARIABLE], **relaxed}
        return {**narrow, **relaxed}
    return relaxed
