"""Every format by its name."""

from __future__ import annotations

from synth.export.formats.alpaca import to_alpaca
from synth.export.formats.base import Convert
from synth.export.formats.dpo import to_dpo
from synth.export.formats.hermes import to_hermes
from synth.export.formats.llama3 import to_llama3
from synth.export.formats.messages import to_messages
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
    "parquet": _whole,
}
"""``parquet`` holds whole rows, in the columns of :mod:`synth.export.parquet`."""
