"""Every format by its name."""

from __future__ import annotations

from synth.export.formats.alpaca import to_alpaca
from synth.export.formats.base import Convert
from synth.export.formats.hermes import to_hermes
from synth.export.formats.llama3 import to_llama3
from synth.export.formats.messages import to_messages
from synth.export.formats.preference import to_dpo, to_dpo_standard, to_kto, to_reward
from synth.export.formats.sharegpt import to_sharegpt
from synth.messages import Json


def _whole(row: Json) -> Json:
    return row


FORMATS: dict[str, Convert] = {
    "messages": to_messages,
    "alpaca": to_alpaca,
    "sharegpt": to_sharegpt,
    "llama3": to_llama3,
    "hermes": to_hermes,
    "dpo": to_dpo,
    "dpo_standard": to_dpo_standard,
    "reward": to_reward,
    "parquet": _whole,
}
"""Those with one record a row. ``parquet`` holds whole rows, in the columns of :mod:`synth.export.parquet`."""


def records_of(row: Json, format_name: str) -> list[Json]:
    """The records of a row. Raises ``CannotCarry``."""
    return to_kto(row) if format_name == "kto" else [FORMATS[format_name](row)]
