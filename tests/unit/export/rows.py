"""Dataset rows of every shape that a conversation may have."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import strategies as st

from synth.messages import Json

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda text: text.strip() == text)
_VALUES = st.one_of(st.integers(-99, 99), TEXT, st.booleans())
_ARGUMENTS = st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), _VALUES, max_size=3)
TOOLS: list[Json] = [
    {"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}}
]


@st.composite
def rows(draw: st.DrawFn, *, tools: bool = False, most_calls: int = 1) -> Json:
    """A row: perhaps a system message, then turns; with ``tools`` some answers come after calls."""
    messages: list[Json] = []
    if draw(st.booleans()):
        messages.append({"role": "system", "content": draw(TEXT)})
    for turn in range(draw(st.integers(1, 3))):
        messages.append({"role": "user", "content": draw(TEXT)})
        if tools and draw(st.booleans()):
            place, made = len(messages), draw(st.lists(_ARGUMENTS, min_size=1, max_size=most_calls))
            calls = [(f"call_{place}_{n}", orjson.dumps(arguments).decode()) for n, arguments in enumerate(made)]
            messages.append({"role": "assistant", "content": None, "tool_calls": [_call(*call) for call in calls]})
            messages += [{"role": "tool", "content": draw(TEXT), "tool_call_id": name} for name, _ in calls]
        messages.append({"role": "assistant", "content": f"{turn} {draw(TEXT)}"})
    row: dict[str, Any] = {"id": "g-1", "seed_id": "s", "messages": messages}
    return row | ({"tools": TOOLS} if tools else {})


def _call(call_id: str, arguments: str) -> Json:
    return {"id": call_id, "type": "function", "function": {"name": "find", "arguments": arguments}}
