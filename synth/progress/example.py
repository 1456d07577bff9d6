"""An example as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

_ROLE_STYLES = {"system": "magenta", "user": "cyan", "assistant": "green", "tool": "yellow"}


def render_messages(
    messages: list[Mapping[str, Any]],
    *,
    longest: int | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
) -> RenderableType:
    """A conversation: each message under its role, tool calls and reasoning as such; texts are cut at ``longest``.

    ``changes``, as a row of kind ``tool_use`` has them, stand under the results of the calls that made them.
    """
    parts: list[RenderableType] = []
    calls = 0
    for message in messages:
        role = str(message["role"])
        parts.append(Text(role, style=f"bold {_ROLE_STYLES.get(role, '')}".strip()))
        parts += [Padding(part, (0, 0, 0, 2)) for part in _body(message, longest)]
        if role == "tool":
            made = [change for one in changes if one["call"] == calls for change in one["changes"]]
            parts += [Padding(Text(_change(change), style="magenta"), (0, 0, 0, 2)) for change in made]
            calls += 1
    return Group(*parts)


def _body(message: Mapping[str, Any], longest: int | None) -> Iterator[Text]:
    if message.get("reasoning_content"):
        yield Text(_shorten(str(message["reasoning_content"]), longest), style="dim italic")
    if message.get("content"):
        yield Text(_shorten(str(message["content"]), longest))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield Text(_shorten(f"{function['name']}({function['arguments']})", longest), style="yellow")


def _change(change: Mapping[str, Any]) -> str:
    """One difference between two states, in a line."""
    sides = [_shorten(orjson.dumps(change[side]).decode(), 120) for side in ("before", "after") if side in change]
    mark = "±" if len(sides) == 2 else "+" if "after" in change else "−"
    return f"{mark} {change['path']}: {' → '.join(sides)}"


def describe(row: Mapping[str, Any]) -> str:
    """Where a row comes from, in one line: id, kind, seed, scores and attributes."""
    words = [str(row["id"]), str(row["kind"])]
    if row.get("seed_id") is not None:
        words.append(f"seed {row['seed_id']}")
    for name in ("scores", "attributes"):
        words += [f"{key} {_value(value)}" for key, value in (row.get(name) or {}).items()]
    return " · ".join(words)


def _value(value: object) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float)
        else value
        if isinstance(value, str)
        else orjson.dumps(value).decode()
    )


def _shorten(text: str, longest: int | None) -> str:
    if longest is None or len(text) <= longest:
        return text
    return f"{text[:longest]} … ({len(text) - longest:,} more characters)"
