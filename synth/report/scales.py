"""Numbers to places in a drawing: round ticks, bins, and the frame that plots stand in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synth.report.svg import Drawing

Format = Callable[[float], str]


def plain(number: float) -> str:
    """``1,200``, ``0.25``: as few digits as say it."""
    if abs(number) >= 10_000:
        return f"{number / 1e6:g}M" if abs(number) >= 1e6 else f"{number / 1e3:g}k"
    return f"{number:,.0f}" if number == int(number) else f"{number:g}"


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers from ``low`` to ``high``, both inside, about so many."""
    if high <= low:
        return [low]
    raw = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot's area within a drawing, and the numbers at its edges."""

    left: float
    top: float
    right: float
    bottom: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at_x(self, value: float) -> float:
        low, high = self.x
        return self.left + (value - low) / ((high - low) or 1.0) * (self.right - self.left)

    def at_y(self, value: float) -> float:
        low, high = self.y
        return self.bottom - (value - low) / ((high - low) or 1.0) * (self.bottom - self.top)

    def draw(self, drawing: Drawing, *, x_format: Format = plain, y_format: Format = plain, x_label: str = "") -> None:
        """Axes with round numbers and faint lines across."""
        for value in ticks(*self.y, 3):
            y = self.at_y(value)
            drawing.line(self.left, y, self.right, y, "grid")
            drawing.text(self.left - 6, y + 4, y_format(value), "muted small end")
        for value in ticks(*self.x, 5):
            drawing.text(self.at_x(value), self.bottom + 16, x_format(value), "muted small mid")
        drawing.line(self.left, self.bottom, self.right, self.bottom)
        if x_label:
            drawing.text(self.right, self.bottom + 32, x_label, "muted small end")


def bin_edges(values: Sequence[float], most: int = 24, bounds: tuple[float, float] | None = None) -> list[float]:
    """Edges of equal bins of a round width over ``values``, or over ``bounds``."""
    low, high = bounds or (min(values), max(values))
    if high - low <= 1e-9 * max(1.0, abs(low), abs(high)):
        return [low - 0.5, high + 0.5]
    raw = (high - low) / most
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= raw - 1e-12)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def count_in(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many values each bin has; the last one has its upper edge too."""
    counts = [0] * (len(edges) - 1)
    width = edges[1] - edges[0]
    for value in values:
        counts[min(max(int((value - edges[0]) / width + 1e-9), 0), len(counts) - 1)] += 1
    return counts
