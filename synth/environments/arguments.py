"""The arguments of a call, as text from a model, against the tool's JSON Schema, in words an agent can act on."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from synth.environments.authoring import ToolError
from synth.environments.quick_check import compile_check
from synth.messages import Json

MAX_ARGUMENT_BYTES = 256 * 1024

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


class ArgumentSchema:
    """A tool's parameters, compiled once. ``schema`` is a JSON Schema (2020-12) of type object."""

    def __init__(self, schema: Json) -> None:
        self._validator = Draft202012Validator(schema)
        self._is_surely_right = compile_check(schema)
        required = schema.get("required", ())
        self._leave_out = {
            name
            for name, inner in schema.get("properties", {}).items()
            if name not in required and not self._validator.evolve(schema=inner).is_valid(None)
        }

    def parse(self, text: str) -> Json:
        """The arguments as an object that satisfies the schema. Raises ``ToolError``."""
        if _is_too_long(text):
            raise ToolError(f"the arguments are longer than {MAX_ARGUMENT_BYTES // 1024} KiB; send less at a time")
        try:
            values = orjson.loads(text or "{}")
        except orjson.JSONDecodeError as error:
            raise ToolError(f"the arguments are not valid JSON: {error}") from error
        if not isinstance(values, dict):
            raise ToolError(f"the arguments must be a JSON object, not {_shown(values)}")
        if None in values.values():  # models write null for what they leave out
            values = {key: value for key, value in values.items() if value is not None or key not in self._leave_out}
        problems = self.explain(values)
        if problems:
            raise ToolError("; ".join(problems[:5]))
        return values

    def explain(self, value: Any) -> list[str]:
        """What keeps ``value`` from being an instance of the schema, each in a phrase; empty where nothing does."""
        if self._is_surely_right(value):
            return []
        return list(dict.fromkeys(_phrase(error) for error in self._validator.iter_errors(value)))


def is_object(text: str) -> bool:
    """Whether the arguments of a call, right or wrong, are a JSON object, of a length that tools take."""
    try:
        return not _is_too_long(text) and isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def suggest(wrong: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` where a known name is near."""
    near = get_close_matches(wrong, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _is_too_long(text: str) -> bool:
    if len(text) * 4 <= MAX_ARGUMENT_BYTES:  # no need to count bytes
        return False
    return len(text.encode("utf-8", "surrogatepass")) > MAX_ARGUMENT_BYTES


def _phrase(error: ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    name = repr(where) if where else "the value"
    wanted: Any = error.validator_value
    given: Any = error.instance
    match error.validator:
        case "required":
            missing = [repr(_joined(where, key)) for key in wanted if key not in given]
            return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        case "additionalProperties" if wanted is False:
            known = list(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
            extra = [key for key in given if key not in known]
            takes = f"takes {', '.join(known)}" if known else "takes no arguments"
            unknown = ", ".join(repr(_joined(where, key)) for key in extra[:5])
            return f"unknown argument {unknown} (it {takes}){suggest(extra[0], known) if len(extra) == 1 else ''}"
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            return f"{name} must be {' or '.join(_KINDS.get(kind, kind) for kind in kinds)}, not {_shown(given)}"
        case "enum":
            return f"{name} must be one of {', '.join(_shown(item) for item in wanted)}, not {_shown(given)}"
        case "const":
            return f"{name} must be {_shown(wanted)}, not {_shown(given)}"
        case "minimum":
            return f"{name} must be at least {wanted}, not {_shown(given)}"
        case "maximum":
            return f"{name} must be at most {wanted}, not {_shown(given)}"
        case "anyOf" | "oneOf":
            inner = [_phrase(child) for child in error.context or ()]
            return f"{name} fits none of its forms ({'; '.join(inner[:4])})"
        case _:
            return f"{name}: {error.message[:200]}"


def _joined(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _shown(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}…"
