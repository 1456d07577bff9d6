"""Numbers as people read them, short enough for a line of progress."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal


def format_duration(seconds: float) -> str:
    """``0.8 s``, ``42 s``, ``3 min 05 s``, ``2 h 07 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def format_left(seconds: float) -> str:
    """A duration that is only an estimate: no fractions of a second."""
    return format_duration(max(10.0, seconds)) if seconds >= 10 else f"{max(1, round(seconds))} s"


def format_usd(usd: float) -> str:
    """Two decimals, and two digits where two decimals would say less: ``$0``, ``$0.000042``, ``$0.031``, ``$12.40``."""
    if usd == 0:
        return "$0"
    if usd >= 0.1:
        return f"${usd:,.2f}"
    return f"${Decimal(f'{usd:.1e}'):f}"


def format_count(number: float) -> str:
    """Whole below ten thousand, then ``12.3k`` and ``4.56M``."""
    if number < 10_000:
        return f"{number:,.0f}"
    return f"{number / 1e3:.1f}k" if number < 1e6 else f"{number / 1e6:.2f}M"


def format_reasons(rejected: Mapping[str, int], most: int = 3) -> str:
    """The gates that said no most often, with how often: ``answer 4, copy 2, 1 other``."""
    ranked = sorted(rejected.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [f"{gate} {times}" for gate, times in ranked[:most]]
    others = sum(times for _, times in ranked[most:])
    return ", ".join([*shown, f"{others} other"] if others else shown)
