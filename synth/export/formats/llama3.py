"""Llama 3.1's prompt format as one text, byte for byte (Meta, "Llama 3.1: model cards and prompt formats").

No newline between messages. A call ends with ``<|eom_id|>`` (a result is expected), everything else with
``<|eot_id|>`` (the turn is over). Results come under the role ``ipython``. The text begins with
``<|begin_of_text|>``: tokenize it with ``add_special_tokens=False``.
"""

from __future__ import annotations

import re

import orjson

from synth.export.formats.base import CannotCarry, text_of
from synth.messages import Json

_SPECIAL = re.compile(r"<\|(?:begin_of_text|end_of_text|start_header_id|end_header_id|eot_id|eom_id|python_tag)\|>")
_BUILT_IN = {"brave_search", "wolfram_alpha"}
_ASK = (
    "You have access to the following functions. To call one, respond with JSON of the form "
    '{"type": "function", "name": function name, "parameters": dictionary of argument name and its value}.'
)


def to_llama3(row: Json) -> Json:
    """Carries everything but several calls in one message, which the format does not know, and its own special tokens.

    A row's tools are described in the system message, after ``Environment: ipython``, which switches tools on.
    """
    messages: list[Json] = row["messages"]
    if tools := row.get("tools"):
        first = messages[0] if messages and messages[0]["role"] == "system" else None
        described = "\n\n".join(orjson.dumps(tool["function"]).decode() for tool in tools)
        system = f"Environment: ipython\n\n{_ASK}\n\n{described}"
        if first is not None:
            system += f"\n\n{text_of(first)}"
        messages = [{"role": "system", "content": system}, *messages[first is not None :]]
    return {"text": "<|begin_of_text|>" + "".join(map(_message, messages))}


def _message(message: Json) -> str:
    role = "ipython" if message["role"] == "tool" else message["role"]
    text = _safe(text_of(message))
    calls = message.get("tool_calls") or []
    if len(calls) > 1:
        raise CannotCarry("llama3 has one tool call in a message")
    end = "<|eom_id|>" if calls else "<|eot_id|>"
    called = f"<|python_tag|>{_safe(_call(calls[0]['function']))}" if calls else ""
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}{called}{end}"


def _call(function: Json) -> str:
    try:
        arguments = orjson.loads(function["arguments"])
    except orjson.JSONDecodeError:
        raise CannotCarry("llama3 needs tool arguments that are JSON") from None
    if function["name"] in _BUILT_IN and isinstance(arguments, dict):
        given = ", ".join(f"{name}={orjson.dumps(value).decode()}" for name, value in arguments.items())
        return f"{function['name']}.call({given})"
    return orjson.dumps({"type": "function", "name": function["name"], "parameters": arguments}).decode()


def _safe(text: str) -> str:
    if _SPECIAL.search(text):
        raise CannotCarry("llama3 has special tokens that stand in the row's own text")
    return text
