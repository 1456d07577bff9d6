"""Watches what becomes of a generator's attempts: when too few are new, going on only costs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from synth.diversity.novelty import GATE

_LEAST_SHARE = 0.04


class DryWatch:
    """Over the last attempts of a generator, in plan order: how many were accepted, how many were not new."""

    WINDOW: ClassVar = 60

    def __init__(self, gates: Iterable[str | None] = ()) -> None:
        self._recent: deque[str | None] = deque(gates, maxlen=self.WINDOW)

    def note(self, gate: str | None) -> None:
        """``gate`` is what rejected the attempt, None where it was accepted."""
        self._recent.append(gate)

    @property
    def dry(self) -> bool:
        """Whether fewer than one attempt in 25 is accepted and most of the rest says nothing new."""
        seen = len(self._recent)
        if seen < self.WINDOW:
            return False
        return self._recent.count(None) < _LEAST_SHARE * seen and self._recent.count(GATE) * 2 > seen

    def __str__(self) -> str:
        accepted, repeated = self._recent.count(None), self._recent.count(GATE)
        return f"of its last {len(self._recent)} attempts {repeated} said nothing new and {accepted} were accepted"
