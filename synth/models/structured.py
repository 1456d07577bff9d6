"""How a JSON Schema is asked for, from the strictest way an endpoint takes down to a plain prompt."""

from __future__ import annotations

import asyncio
import re
from typing import Literal

import orjson

from synth.errors import ResponseError, TransientError
from synth.messages import Json

Way = Literal["json_schema", "json_object", "prompt"]

_WAYS: tuple[Way, ...] = ("json_schema", "json_object", "prompt")
_CRASHED = re.compile(r" answered 500\b")
_MOST_CRASHES = 2  # in a row; a way that crashes the server is left while the first call still has tries


class StructuredOutput:
    """Which way one model at one endpoint takes a schema. Found out by the first request that needs it."""

    def __init__(self, setting: Literal["auto", "json_schema", "json_object", "prompt"]) -> None:
        self.way: Way = "json_schema" if setting == "auto" else setting
        self.settled = setting != "auto"
        self.finding_out = asyncio.Lock()
        self._crashes = 0

    def answered(self, text: str | None) -> None:
        """The endpoint answered with a whole ``text``: if that is no JSON, it does not heed the present way."""
        if text is None or self.way == "prompt" or text.lstrip().startswith(("{", "[")):
            self.settled = True
        else:
            self._step_down()

    def refused(self, error: ResponseError) -> bool:
        """The endpoint refused a request. Whether there is a lower way to try it in: endpoints name what they mind in
        many words, or not at all."""
        if error.kind != "bad_request":
            return False
        self._step_down()
        return self.way != _WAYS[0]

    def failed(self, error: TransientError) -> None:
        """The endpoint failed; some crash over a schema that they do not understand."""
        self._crashes = self._crashes + 1 if _CRASHED.search(error.message) else 0
        if self._crashes == _MOST_CRASHES:
            self._step_down()

    def _step_down(self) -> None:
        """To the next way; from the last to the first again, since then no way was to blame."""
        self.way = _WAYS[(_WAYS.index(self.way) + 1) % len(_WAYS)]
        self._crashes = 0


def response_format(way: Way, schema: Json) -> Json | None:
    """The ``response_format`` field of the request body, or None where there is none."""
    if way == "json_schema":
        return {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": schema, "strict": _is_strict(schema)},
        }
    return {"type": "json_object"} if way == "json_object" else None


def instruction(schema: Json) -> str:
    """What a model is told where the endpoint does not enforce the schema itself."""
    return (
        "Answer with one JSON object and nothing else: no code fence, no explanation. "
        f"It must be an instance of this JSON Schema:\n{orjson.dumps(schema).decode()}"
    )


def _is_strict(schema: object) -> bool:
    """Whether OpenAI's strict mode takes ``schema``: every object closed, every property required."""
    if isinstance(schema, list):
        return all(_is_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if "properties" in schema or schema.get("type") == "object":
        names = set(schema.get("properties", {}))
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != names:
            return False
    return all(_is_strict(value) for value in schema.values())
