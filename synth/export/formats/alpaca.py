"""Alpaca: ``instruction``, ``input`` (always empty: nothing says where one would begin), ``output``, and ``system``."""

from __future__ import annotations

from synth.export.formats.base import CannotCarry, require_plain_turns, text_of
from synth.messages import Json


def to_alpaca(row: Json) -> Json:
    """Carries one question and one answer, and a system message before them."""
    messages: list[Json] = row["messages"]
    require_plain_turns(messages, "alpaca")
    has_system = bool(messages) and messages[0]["role"] == "system"
    system, turns = (text_of(messages[0]), messages[1:]) if has_system else ("", messages)
    if [message["role"] for message in turns] != ["user", "assistant"]:
        raise CannotCarry("alpaca has one question and one answer")
    return {"instruction": text_of(turns[0]), "input": "", "output": text_of(turns[1]), "system": system}
