"""How much of a text was said before in it."""

from __future__ import annotations

from collections.abc import Sequence

_FEWEST = 8
"""Fewer n-grams or lines than this say nothing: a short list may well repeat itself."""


def repeated_share(items: Sequence[object]) -> float:
    """The share of items that were there before; 0 for so few that it says nothing."""
    return 1 - len(set(items)) / len(items) if len(items) >= _FEWEST else 0.0
