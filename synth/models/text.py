"""Text as it can be kept: half of a character, which JSON can escape, fits into no UTF-8."""

from __future__ import annotations

import json
from typing import Any

import orjson


def keep(text: str) -> str:
    """``text`` as it is."""
    return text


def valid_text(text: str) -> str:
    """``text`` with two halves of a character joined, and U+FFFD for a half that stands alone."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def dump_json(value: Any) -> str:
    """``value`` as compact JSON in valid text, also where it holds halves of characters or very long numbers."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return valid_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
