"""What a call costs."""

from __future__ import annotations

from dataclasses import dataclass

from synth.messages import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float

    def cost(self, usage: Usage) -> float:
        """USD for ``usage``."""
        return (usage.input * self.input + usage.output * self.output) / 1e6


FREE = Price(0.0, 0.0)
