"""The line that a problem is in, with a caret under the place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from synth.errors import Problem

_BEFORE, _AFTER = 60, 40
"""Characters of a long line that are shown on each side of the place."""
_MOST_BYTES = 32_000_000
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s:,#{}\[\]()]+")
_CREDENTIAL = re.compile(
    r"(?i)\b((?:[\w-]*(?:api[_-]?key|authorization|secret|password|passwd)|token)['\"]?\s*[:=]\s*).+"
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Two lines of equal indentation: the source, and the caret under it."""

    source: str
    caret: str


def excerpts(problems: Sequence[Problem]) -> list[Excerpt | None]:
    """For each problem its excerpt, or None where it is about no line or the file cannot be read."""
    lines: dict[str, dict[int, str]] = {}
    for file in {problem.file for problem in problems if problem.line}:
        lines[file] = _read_lines(Path(file), {problem.line for problem in problems if problem.file == file})
    return [_excerpt(lines.get(problem.file, {}).get(problem.line), problem) for problem in problems]


def _read_lines(path: Path, numbers: Iterable[int]) -> dict[int, str]:
    wanted = set(numbers)
    found: dict[int, str] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number in wanted:
                    found[number] = line.decode("utf-8-sig" if number == 1 else "utf-8", "replace").rstrip("\r\n")
                if len(found) == len(wanted) or file.tell() > _MOST_BYTES:
                    break
    except OSError:
        pass  # the message stands without its excerpt
    return found


def _excerpt(line: str | None, problem: Problem) -> Excerpt | None:
    if not line or not line.strip() or problem.column < 1:
        return None
    line = _CREDENTIAL.sub(r"\1***", line)
    column = min(problem.column - 1, len(line))
    word = _WORD.match(line, column)
    length = max(1, word.end() - column if word else 1)
    start = max(0, column - _BEFORE) if len(line) > _BEFORE + _AFTER else 0
    end = min(len(line), max(column + _AFTER, start + _BEFORE + _AFTER))
    before = ("…" if start else "") + _printable(line[start:column])
    after = _printable(line[column:end]) + ("…" if end < len(line) else "")
    margin = f"{problem.line:>5} | "
    marked = _printable(line[column : min(column + length, end)])
    caret = " " * (len(margin) - 2) + "| " + " " * _cells(before) + "^" * max(1, _cells(marked))
    return Excerpt(margin + before + after, caret)


def _printable(text: str) -> str:
    """One character for one: tabs as blanks, and control characters as what shows them."""
    return "".join(
        " " if character == "\t" else character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def _cells(text: str) -> int:
    """Columns of a terminal that ``text`` takes."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
