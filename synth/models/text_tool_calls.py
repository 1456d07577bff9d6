"""Tool calls that a model wrote as text, because it is small or because its server has no parser for its format.

Recognised: a JSON object ``{"name": ..., "arguments": {...}}`` (or ``parameters``, or a ``function`` around it), alone,
in a list, in a code fence, between ``<tool_call>`` tags, after ``<|python_tag|>`` or ``[TOOL_CALLS]``; and
``functions.name({...})``. A call counts only if it names a tool that is on offer, so prose that shows JSON is no call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from synth.fingerprint import fingerprint_text
from synth.messages import Tool, ToolCall
from synth.models.text import dump_json

_TAGGED = re.compile(r"<(tool_call|function_call|tool_code)>\s*(.*?)\s*(?:</\1>|$)", re.DOTALL)
_FENCED = re.compile(r"```(?:json|tool_call|tool_code|python)?\s*\n?(.*?)```", re.DOTALL)
_MARKED = re.compile(r"(?:<\|python_tag\|>|\[TOOL_CALLS\])\s*(.*)$", re.DOTALL)
_FUNCTION = re.compile(r"(?:functions?\.)([\w.-]+)\s*(?::\d+\s*)?\(?\s*(?=\{)")
_DECODER = json.JSONDecoder(strict=False)


def parse_text_tool_calls(text: str, tools: Sequence[Tool]) -> tuple[str, tuple[ToolCall, ...]] | None:
    """The text that remains around the calls, and the calls in their order; None where ``text`` holds none."""
    names = {tool.name for tool in tools}
    for pattern, group in ((_TAGGED, 2), (_MARKED, 1), (_FENCED, 1)):
        calls: list[ToolCall] = []
        spans: list[tuple[int, int]] = []
        for match in pattern.finditer(text):
            found = _calls_in(match[group], names)
            if found:
                calls.extend(found)
                spans.append(match.span())
        if calls:
            return _without(text, spans), _numbered(calls)
    return _bare_calls(text, names)


def _bare_calls(text: str, names: set[str]) -> tuple[str, tuple[ToolCall, ...]] | None:
    calls: list[ToolCall] = []
    spans: list[tuple[int, int]] = []
    for match in _FUNCTION.finditer(text):
        value, end = _decode_at(text, match.end())
        if match[1] in names and isinstance(value, dict):
            closing = re.compile(r"\s*\)").match(text, end)
            calls.append(_call(match[1], value))
            spans.append((match.start(), closing.end() if closing else end))
    if not calls:
        for value, start, end in _objects(text):
            found = _as_calls(value, names)
            if found:
                calls.extend(found)
                spans.append((start, end))
    return (_without(text, spans), _numbered(calls)) if calls else None


def _calls_in(text: str, names: set[str]) -> list[ToolCall]:
    calls: list[ToolCall] = []
    for value, _, _ in _objects(text):
        calls.extend(_as_calls(value, names))
    if not calls:
        found = _bare_calls(text, names) if _FUNCTION.search(text) else None
        calls.extend(found[1] if found else ())
    return calls


def _objects(text: str) -> Iterator[tuple[Any, int, int]]:
    """Every outermost JSON object or list in ``text``, with its place."""
    position = 0
    while True:
        starts = [place for place in (text.find("{", position), text.find("[", position)) if place >= 0]
        if not starts:
            return
        start = min(starts)
        value, end = _decode_at(text, start)
        if value is None:
            position = start + 1
        else:
            yield value, start, end
            position = end


def _decode_at(text: str, start: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError):
        return None, start


def _as_calls(value: Any, names: set[str]) -> list[ToolCall]:
    if isinstance(value, list):
        found = [call for item in value for call in _as_calls(item, names)]
        return found if len(found) == len(value) else []
    if not isinstance(value, dict):
        return []
    inner = value.get("function")
    if isinstance(inner, dict):
        value = inner
    name = value.get("name") or (inner if isinstance(inner, str) else None) or value.get("tool")
    if not isinstance(name, str):
        return []
    name = name.removeprefix("functions.")
    arguments = value.get("arguments", value.get("parameters", value.get("args", {})))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments.strip() or "{}")
        except json.JSONDecodeError:
            return []
    return [_call(name, arguments)] if name in names and isinstance(arguments, dict) else []


def _call(name: str, arguments: dict[str, Any]) -> ToolCall:
    return ToolCall("", name, dump_json(arguments))


def _numbered(calls: list[ToolCall]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(f"call_{fingerprint_text(call.name + call.arguments)[:12]}_{index}", call.name, call.arguments)
        for index, call in enumerate(calls)
    )


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    parts = []
    position = 0
    for start, end in spans:
        parts.append(text[position:start])
        position = end
    parts.append(text[position:])
    return "".join(parts).strip()
