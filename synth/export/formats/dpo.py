"""Preferences as TRL's DPOTrainer loads them: ``prompt``, ``chosen`` and ``rejected``, each a list of messages."""

from __future__ import annotations

from synth.export.formats.base import CannotCarry
from synth.messages import Json


def to_dpo(row: Json) -> Json:
    """Carries rows with a rejected side: ``rejected`` is a text, or the messages that the chosen one stands against.

    The prompt is everything up to the last assistant message.
    """
    messages: list[Json] = row["messages"]
    rejected = row.get("rejected")
    if not rejected:
        raise CannotCarry("dpo needs a rejected side, and the row has none")
    if not messages or messages[-1]["role"] != "assistant" or len(messages) < 2:
        raise CannotCarry("dpo needs a prompt and an assistant's answer")
    if isinstance(rejected, str):
        rejected = [{"role": "assistant", "content": rejected}]
    record: Json = {"prompt": messages[:-1], "chosen": messages[-1:], "rejected": rejected}
    if row.get("tools"):
        record["tools"] = row["tools"]
    return record
