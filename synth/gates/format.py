"""A conversation that trainers and chat templates take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from synth.example import Draft, Verdict
from synth.messages import Message, Tool, ToolCall
from synth.recipe.gates import FormatSpec


class Format:
    """Roles in order, nothing empty, every tool call known, valid by its schema, and answered once. No score."""

    def __init__(self, spec: FormatSpec) -> None:
        self.name = spec.id

    def judge(self, draft: Draft) -> Verdict:
        reason = first_fault(draft.messages, draft.tools)
        return Verdict(self.name, not reason, reason)


def first_fault(messages: Sequence[Message], tools: Sequence[Tool] = ()) -> str:
    """What is wrong with a conversation, or nothing. ``tools`` are those that calls may use; none: any may be called.

    In order: an optional system message, then user and assistant in turns that begin with the user and end with the
    assistant; an assistant's tool calls are answered by tool messages before anyone else speaks.
    """
    known = {tool.name: tool for tool in tools}
    open_calls: dict[str, ToolCall] = {}
    before = ""
    for number, message in enumerate(messages, 1):
        at = f"message {number} ({message.role})"
        if message.role == "tool":
            if message.tool_call_id not in open_calls:
                return f"{at} answers no open tool call"
            del open_calls[message.tool_call_id]
            before = "tool"
            continue
        if open_calls:
            return f"{at} comes before tool call {next(iter(open_calls))!r} is answered"
        if not (message.content and message.content.strip()) and not message.tool_calls:
            return f"{at} is empty"
        if message.tool_calls and message.role != "assistant":
            return f"{at} calls a tool"
        allowed = {"system": {""}, "user": {"", "system", "assistant"}, "assistant": {"user", "tool"}}[message.role]
        if before not in allowed:
            return f"{at} comes after {before or 'nothing'}"
        before = message.role
        for call in message.tool_calls:
            if fault := _call_fault(call, known):
                return f"{at}: {fault}"
            if call.id in open_calls:
                return f"{at} gives two tool calls the id {call.id!r}"
            open_calls[call.id] = call
    if open_calls:
        return f"tool call {next(iter(open_calls))!r} is not answered"
    if before != "assistant":
        return f"the conversation ends with {before or 'nothing'}"
    return ""


def _call_fault(call: ToolCall, known: Mapping[str, Tool]) -> str:
    try:
        arguments = orjson.loads(call.arguments)
    except orjson.JSONDecodeError:
        return f"the arguments of {call.name} are not JSON"
    if not isinstance(arguments, dict):
        return f"the arguments of {call.name} are not a JSON object"
    if not known:
        return ""
    if call.name not in known:
        return f"there is no tool {call.name!r}"
    try:
        wrong = next(Draft202012Validator(known[call.name].parameters).iter_errors(arguments), None)
    except SchemaError as error:
        return f"the schema of {call.name} is none: {error.message}"
    return f"the arguments of {call.name}: {wrong.message}" if wrong else ""
