"""A conversation as people read it, in HTML: bubbles; tools, reasoning and system prompts folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from synth.report.markup import Html, tag
from synth.report.svg import shorten

_ROLES = {"system", "user", "assistant", "tool"}


def talk(messages: Sequence[Mapping[str, Any]]) -> Html:
    """Messages in the OpenAI chat format."""
    return tag("ol", *(_turn(message) for message in messages), class_="talk")


def _turn(message: Mapping[str, Any]) -> Html:
    role = message["role"] if message.get("role") in _ROLES else "assistant"
    content = message.get("content")
    text = content if isinstance(content, str) else "" if content is None else orjson.dumps(content).decode()
    parts: list[Html] = []
    if message.get("reasoning_content"):
        parts.append(_fold("reasoning", str(message["reasoning_content"])))
    if role in {"system", "tool"}:
        what = "system prompt" if role == "system" else f"the tool gave {shorten(text, 90)}"
        parts.append(_fold(what, text))
    elif text:
        parts.append(tag("div", text, class_="said"))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        parts.append(_fold(f"calls {function['name']} {shorten(function['arguments'], 90)}", function["arguments"]))
    who = tag("div", role, class_="who") if role in {"user", "assistant"} else None
    return tag("li", who, *parts, class_=f"turn {role}")


def _fold(summary: str, text: str) -> Html:
    return tag("details", tag("summary", summary), tag("pre", text))
