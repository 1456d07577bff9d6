"""Hermes function calling: tools in the system message, ``<tool_call>`` and ``<tool_response>`` in the turns."""

from __future__ import annotations

from typing import Any

import orjson

from synth.export.formats.base import CannotCarry, text_of
from synth.messages import Json

_FROM = {"system": "system", "user": "human", "assistant": "gpt", "tool": "tool"}
_MARKS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<tools>", "</tools>")
HEADER = (
    "You are a function calling AI model. You are provided with function signatures within <tools></tools> XML tags. "
    "You may call one or more functions to assist with the user query. For each function call return a JSON object "
    "with function name and arguments within <tool_call></tool_call> XML tags.\n<tools>\n"
)
FOOTER = "\n</tools>"


def to_hermes(row: Json) -> Json:
    """Carries everything but texts that hold the format's own marks. Ids of calls have no place: results keep order."""
    messages: list[Json] = row["messages"]
    conversations: list[Json] = []
    system = text_of(messages[0]) if messages and messages[0]["role"] == "system" else ""
    if tools := row.get("tools"):
        described = HEADER + "\n".join(_json(tool) for tool in tools) + FOOTER
        conversations.append({"from": "system", "value": f"{described}\n\n{_safe(system)}" if system else described})
        messages = messages[bool(messages and messages[0]["role"] == "system") :]
    for message in messages:
        value = _safe(text_of(message))
        if message["role"] == "tool":
            value = f"<tool_response>\n{value}\n</tool_response>"
            if conversations[-1]["from"] == "tool":
                conversations[-1]["value"] += f"\n{value}"
                continue
        calls = "\n".join(_call(call["function"]) for call in message.get("tool_calls") or [])
        parts = [part for part in (value, calls) if part]
        conversations.append({"from": _FROM[message["role"]], "value": "\n".join(parts)})
    return {"conversations": conversations}


def _call(function: Json) -> str:
    try:
        arguments = orjson.loads(function["arguments"])
    except orjson.JSONDecodeError:
        raise CannotCarry("hermes needs tool arguments that are JSON") from None
    made = _safe(_json({"name": function["name"], "arguments": arguments}))
    return f"<tool_call>\n{made}\n</tool_call>"


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _safe(text: str) -> str:
    if any(mark in text for mark in _MARKS):
        raise CannotCarry("hermes has marks that stand in the row's own text")
    return text
