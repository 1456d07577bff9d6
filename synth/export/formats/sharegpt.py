"""ShareGPT as LLaMA-Factory loads it: ``conversations`` of ``from`` and ``value``, ``tools`` as JSON text.

Tool calls are ``function_call`` turns: one call as ``{"name", "arguments"}``, several as a list. Their results are one
``observation``: a single text as it is, several as a JSON list of texts. Ids of calls have no place.
"""

from __future__ import annotations

from typing import Any

import orjson

from synth.export.formats.base import CannotCarry, text_of
from synth.messages import Json

_FROM = {"system": "system", "user": "human", "assistant": "gpt"}


def to_sharegpt(row: Json) -> Json:
    """Carries everything but an assistant that speaks and calls a tool in one message."""
    conversations: list[Json] = []
    results: list[str] = []
    expected = 0
    for message in row["messages"]:
        if message["role"] == "tool":
            results.append(text_of(message))
            if len(results) == expected:
                value = results[0] if expected == 1 else _json(results)
                conversations.append({"from": "observation", "value": value})
                results = []
            continue
        calls = message.get("tool_calls")
        if not calls:
            conversations.append({"from": _FROM[message["role"]], "value": text_of(message)})
            continue
        if text_of(message):
            raise CannotCarry("sharegpt has no message that both speaks and calls a tool")
        made = [_call(call["function"]) for call in calls]
        expected = len(made)
        conversations.append({"from": "function_call", "value": _json(made[0] if expected == 1 else made)})
    if results:
        raise CannotCarry("sharegpt needs a result for every tool call")
    return {"conversations": conversations, "tools": _json([t["function"] for t in row.get("tools") or []])}


def _call(function: Json) -> Json:
    try:
        return {"name": function["name"], "arguments": orjson.loads(function["arguments"])}
    except orjson.JSONDecodeError:
        raise CannotCarry("sharegpt needs tool arguments that are JSON") from None


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
