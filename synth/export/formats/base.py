"""What a format is, and the ways in which a row may not fit in one."""

from __future__ import annotations

from collections.abc import Callable

from synth.errors import SynthError
from synth.messages import Json

Convert = Callable[[Json], Json]
"""Takes a dataset row and gives the record. Raises ``CannotCarry`` where the format has no place for what it holds."""


class CannotCarry(SynthError):
    """A row that a format cannot hold; the message is the same for all rows of one sort, to be counted by."""


def require_plain_turns(messages: list[Json], format_name: str) -> None:
    """Raises ``CannotCarry`` where a conversation uses tools."""
    if any(message.get("tool_calls") or message["role"] == "tool" for message in messages):
        raise CannotCarry(f"{format_name} has no tool calls")


def text_of(message: Json) -> str:
    """What a message says, for formats that have one text for it; what was thought before stands in ``<think>`` tags,
    as reasoning models are trained on."""
    text = message.get("content") or ""
    thought = message.get("reasoning_content")
    return f"<think>\n{thought}\n</think>\n\n{text}" if thought else text
