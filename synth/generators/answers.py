"""Final answers: find the one that a chain of thought ends in, and tell whether two are the same."""

from __future__ import annotations

import re
from fractions import Fraction

_MARKED = (
    re.compile(r"\\boxed\{([^{}]+)\}"),
    re.compile(r"^\W*(?:the\s+)?(?:final\s+)?answer(?:\s+is)?[ \t:=*_]*(?P<answer>[^\s:=*_][^\n]*)$", re.I | re.M),
    re.compile(r"\banswer\s+is[ \t:]*(?P<answer>[^\s:][^\n]*)", re.I),
    re.compile(r"^####[ \t]*(?P<answer>\S[^\n]*)$", re.M),
)
_NUMBER = re.compile(r"[-+−]?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*/\s*\d+)?(?!\w*\d)|[-+−]?\.\d+")
_CHOICE = re.compile(r"^\W*([A-Ja-j])\W*$")
_WORDS = re.compile(r"[^\w.%/-]+")


def parse_final_answer(text: str) -> str | None:
    """What stands after the last answer mark (``Answer:``, ``the answer is``, ``\\boxed{}``, ``####``), or None."""
    best: tuple[int, str] | None = None
    for pattern in _MARKED:
        for match in pattern.finditer(text):
            if best is None or match.start() > best[0]:
                best = (match.start(), match[match.lastindex or 0])
    if best is None:
        return None
    answer = best[1].strip().strip("*_`$ ").rstrip(".").strip("*_`$ ")
    return answer or None


def normalize_answer(answer: str) -> str:
    """One spelling for answers that are the same: numbers without units, signs or separators, else plain words.

    A number counts when the answer has exactly one; ``1,250.50 dollars`` is ``2501/2``, ``3/4`` is ``3/4``.
    """
    choice = _CHOICE.match(answer)
    if choice:
        return choice[1].upper()
    numbers = set(_numbers(answer))
    if len(numbers) == 1:
        return str(numbers.pop())
    return _WORDS.sub(" ", answer.lower()).strip(" .")


def same_answer(one: str, other: str) -> bool:
    """Whether two final answers agree."""
    return normalize_answer(one) == normalize_answer(other)


def _numbers(text: str) -> list[Fraction]:
    return [value for match in _NUMBER.findall(text) if (value := parse_number(match)) is not None]


def parse_number(text: str) -> Fraction | None:
    """An integer, decimal or fraction, with or without thousands separators, as an exact fraction."""
    compact = "".join(text.split()).replace(",", "").replace("−", "-")
    try:
        return Fraction(compact)
    except (ValueError, ZeroDivisionError):
        return None
