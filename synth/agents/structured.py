"""Answers that must be an instance of a JSON Schema: find the JSON in a text, and say what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from synth.messages import Json

_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)


class InvalidAnswer(ValueError):
    """The answer is not an instance of the schema; ``str()`` says why, in words that a model can act on."""


def parse_answer(text: str, schema: Json) -> Any:
    """The JSON value in ``text``, checked against ``schema``. Raises ``InvalidAnswer``."""
    value = _find_json(text)
    problem = explain_mismatch(value, schema)
    if problem:
        raise InvalidAnswer(problem)
    return value


def explain_mismatch(value: Any, schema: Json) -> str:
    """What keeps ``value`` from being an instance of ``schema``, or nothing."""
    from jsonschema import Draft202012Validator

    errors = sorted(Draft202012Validator(schema).iter_errors(value), key=lambda error: list(map(str, error.path)))
    return "; ".join(f"{error.json_path}: {error.message}" for error in errors[:5])


def _find_json(text: str) -> Any:
    for candidate in _candidates(text):
        try:
            return orjson.loads(candidate)
        except orjson.JSONDecodeError:
            continue
    raise InvalidAnswer("the answer is not JSON")


def _candidates(text: str) -> Iterator[str]:
    stripped = text.strip()
    yield stripped
    yield from (match.strip() for match in _FENCE.findall(text))
    for opening, closing in ("{}", "[]"):
        start, end = stripped.find(opening), stripped.rfind(closing)
        if 0 <= start < end:
            yield stripped[start : end + 1]
