"""A conversation as people read it."""

import io
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from synth.progress.example import render_messages


def test_what_a_call_changed_stands_under_its_result() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "cancel_order", "arguments": "{}"}}
    messages: list[Mapping[str, Any]] = [
        {"role": "user", "content": "Please cancel it."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": '{"found": true}', "tool_call_id": "c"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": '{"status": "cancelled"}', "tool_call_id": "c"},
    ]
    made = [
        {"path": "/orders/W1/status", "before": "pending", "after": "cancelled"},
        {"path": "/log/0", "after": "1"},
    ]
    console = Console(file=io.StringIO(), width=100)
    console.print(render_messages(messages, changes=[{"call": 1, "tool": "cancel_order", "changes": made}]))
    lines = [line.strip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert lines[-4:] == [
        "tool",
        '{"status": "cancelled"}',
        '± /orders/W1/status: "pending" → "cancelled"',
        '+ /log/0: "1"',
    ]
