"""Gates as a recipe names them, and drafts to show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from synth.example import Draft
from synth.gates.base import AskingGate, Gate
from synth.gates.registry import build_gates
from synth.messages import Message, Tool, ToolCall
from synth.recipe.gates import Gate as GateEntry

_ENTRIES: TypeAdapter[list[Any]] = TypeAdapter(list[GateEntry])


def make_gate(entry: object, base: Path = Path()) -> Gate:
    """The gate of one entry of ``gates:``."""
    (gate,) = build_gates(_ENTRIES.validate_python([entry]), base)
    assert not isinstance(gate, AskingGate)
    return gate


def says(text: str, question: str = "What?") -> Draft:
    """A user's question and an assistant's answer."""
    return Draft((Message("user", question), Message("assistant", text)), text)


def call(name: str, arguments: str, call_id: str = "c1") -> ToolCall:
    return ToolCall(call_id, name, arguments)


WEATHER = Tool(
    "weather",
    "Tells the weather.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
