"""Review marks: what somebody who looked at an example thinks of it, in ``marks.jsonl`` of the run folder.

A line is ``{"id": …, "mark": "good" | "bad" | "unsure" | null, "at": …}``; the last one of an id counts, and null takes
a mark back. Lines are only ever added, so two people at work in one folder lose nothing.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import orjson

from synth.errors import UsageError
from synth.files import cannot_write

MARKS = ("good", "bad", "unsure")


def marks_file(run_dir: Path) -> Path:
    return run_dir / "marks.jsonl"


def read_marks(run_dir: Path) -> dict[str, str]:
    """The mark of each example that has one. Raises ``UsageError`` for a line that is none."""
    path = marks_file(run_dir)
    marks: dict[str, str] = {}
    if not path.exists():
        return marks
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            data = orjson.loads(line)
            unit, mark = data["id"], data["mark"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            unit, mark = None, ""
        if not isinstance(unit, str) or mark not in (*MARKS, None):
            raise UsageError(f"{path}:{number}: no mark", hint="remove the line: the others are kept")
        marks.pop(unit, None)
        if mark is not None:
            marks[unit] = mark
    return marks


def add_mark(run_dir: Path, unit: str, mark: str | None) -> None:
    """Add a mark, or with None take it back; it is on disk when this returns. Raises as ``write_atomically`` does."""
    line = orjson.dumps({"id": unit, "mark": mark, "at": datetime.now(UTC).isoformat(timespec="seconds")}) + b"\n"
    path = marks_file(run_dir)
    try:
        with path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error
