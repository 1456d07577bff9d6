"""A column of numbers from a data file."""

from __future__ import annotations

import math
from pathlib import Path

from synth.curation.reading import read_rows
from synth.errors import UsageError


def parse_bounds(text: str) -> tuple[float, float]:
    """``0,120``. Raises ``UsageError``."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--bounds {text!r} is not two numbers", hint="write --bounds 0,120") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"--bounds {text!r}: the first must be lower than the second, and both finite")
    return low, high


def read_numbers(path: Path, field: str) -> list[float]:
    """The column ``field``. Raises ``UsageError`` with the line of what is no number."""

    def refuse(line: int, fault: str) -> None:
        raise UsageError(f"{path}:{line}: {fault}")

    values: list[float] = []
    for row in read_rows(path, refuse):
        value = row.data.get(field)
        try:
            number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            refuse(row.line, f"{field!r} is {'missing' if field not in row.data else 'no finite number'}")
        values.append(number)
    return values
