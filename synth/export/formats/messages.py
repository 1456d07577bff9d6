"""The OpenAI chat format, which TRL and most trainers load: ``messages``, and ``tools`` where a row has some."""

from __future__ import annotations

from synth.messages import Json


def to_messages(row: Json) -> Json:
    """Carries everything."""
    record: Json = {"messages": row["messages"]}
    if row.get("tools"):
        record["tools"] = row["tools"]
    return record
