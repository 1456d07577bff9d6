"""Final answers: find the one that a chain of thought ends in, and tell whether two are the same."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from synth.generators.expressions import normal_form

_MARKS = (
    re.compile(r"^[^\w\n]*(?:the\s+)?(?:final\s+)?answer(?:\s+is)?[ \t:=*_]*(?P<answer>[^\s:=*_][^\n]*)$", re.I | re.M),
    re.compile(r"\banswer\s+is[ \t:]*(?P<answer>[^\s:][^\n]*)", re.I),
    re.compile(r"\bAnswer:[ \t*_]*(?P<answer>[^\s:*_][^\n]*)"),
    re.compile(r"^####[ \t]*(?P<answer>\S[^\n]*)$", re.M),
    re.compile(r"^[^\w\n]*(?:the\s+)?(?:final\s+)?answer(?:\s+is)?[ \t:=*_]*\n\s*(?P<answer>[^\n]+)\s*\Z", re.I | re.M),
)
_BOXED = "\\boxed{"

_CHOICE = re.compile(r"\W*(?:(?:option|choice|answer)\W+)?([A-Ja-j])(?:\W*$|\)?[):]\s)", re.I)
_NUMBER = re.compile(
    r"(?<![\w./])(?:(?P<whole>-?\d+) (?=\d+/\d))?(?P<value>[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:/\d+)?)(?![\w./]*\d)"
)
# Several numbers, or what is said of one: a list, a time, a bound. "<b>" and "=>" are no comparison.
_TAG = re.compile(r"</?[a-z]+>|[-=]+>", re.I)
_MORE_THAN_A_NUMBER = re.compile(
    r"\d\s*[,;]\s*[-+$(]?\s*[\d.]|\d\s*:\s*\d|[<>≤≥≠]|!=|\\(?:leq?|geq?|neq?|lt|gt)\b"
    r"|\b(?:not|than|at\s+least|at\s+most)\s+[-$]?\d",
    re.I,
)
_MOST_SPELLINGS = 9
"""Signs that were apart come together when what stood between them goes; it is soon over."""
_SIGNS = {"≤": "<=", "≥": ">=", "≠": "!=", "\\leq": "<=", "\\geq": ">=", "\\neq": "!="}
_SIGNS |= {"\\le": "<=", "\\ge": ">=", "\\ne": "!=", "\\lt": "<", "\\gt": ">", ",": ";"}
_COMMAND = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}")
_THOUSANDS = re.compile(r"(?<=\d)(?:,|\{,\})(?=\d{3}(?!\d))")
# A point or a stroke between digits, a point or a minus sign before them, belongs to the number; other marks do not.
_MARKS_OF_NONE = re.compile(r"(?:(?!(?<=\d)[./](?=\d)|(?<!\w)\.(?=\d)|(?<!\w)-(?=\.?\d))[^\w])+")


def parse_final_answer(text: str) -> str | None:
    """What stands after the last answer mark (``Answer:``, ``the answer is``, ``\\boxed{}``, ``####``), or None."""
    best = _boxed(text)
    for pattern in _MARKS:
        for match in pattern.finditer(text):
            if best is None or match.start("answer") > best[0]:
                best = (match.start("answer"), match["answer"])
    if best is None:
        return None
    answer = best[1].strip().strip("*_`$ ").rstrip(".").strip("*_`$ ")
    return answer or None


def _boxed(text: str) -> tuple[int, str] | None:
    """The inside of the last ``\\boxed{}``, whatever braces stand in it, and where it begins."""
    start = text.rfind(_BOXED)
    if start < 0:
        return None
    inside, depth = start + len(_BOXED), 1
    for place in range(inside, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return inside, text[inside:place]
    return None


def normalize_answer(answer: str) -> str:
    """One spelling for answers that are the same; a spelling is its own.

    A choice becomes its letter: ``(b) 12 apples`` is ``B``. A number loses units, percent signs and separators:
    ``1,250.50 dollars`` is ``2501/2``, ``1 1/2`` is ``3/2``; units are not compared. Algebra becomes its normal form
    (:mod:`synth.generators.expressions`). Of an equation the right side counts. Lists, times and bounds (``(3, 4)``,
    ``3:30``, ``x < 3``) are compared sign by sign, all else as plain words.
    """
    for _ in range(_MOST_SPELLINGS):
        spelled = _spell(answer)
        if spelled == answer:
            break
        answer = spelled
    return answer


def same_answer(one: str, other: str) -> bool:
    """Whether two final answers agree."""
    return normalize_answer(one) == normalize_answer(other)


def _spell(answer: str) -> str:
    several = _several(answer)
    if several is not None:
        return several
    plain = _plain_words(answer)
    return _canonical(answer) or _canonical(plain) or plain


def _several(answer: str) -> str | None:
    """The spelling of what is more than one number, or more than a number; None for all else."""
    if _CHOICE.match(answer):
        return None
    text = _THOUSANDS.sub("", _COMMAND.sub(r" \1", _TAG.sub("", unicodedata.normalize("NFKC", answer))))
    if not _MORE_THAN_A_NUMBER.search(text):
        return None
    for sign, meaning in _SIGNS.items():
        text = text.replace(sign, meaning)
    text = re.sub(r"\\(?=[{}()\[\]])|[\\$]", "", unicodedata.normalize("NFKC", text.casefold())).strip(" .")
    text = re.sub(r"\s*([^\w\s]|(?<=\w)\s+(?=\w))\s*", lambda match: match[1].strip() or " ", text)
    inside = re.fullmatch(r"\(([^()]*)\)", text)
    return inside[1] if inside else text


def _canonical(answer: str) -> str | None:
    choice = _CHOICE.match(answer)
    if choice:
        return choice[1].upper()
    written = answer.rpartition("=")[2].strip() or answer
    words = _plain_words(written)
    whole = _NUMBER.fullmatch(words)
    if whole and (number := _number(whole)) is not None:
        return str(number)
    form = normal_form(written)
    if form is not None and not _CHOICE.match(form):
        return form
    numbers = {_number(match) for match in _NUMBER.finditer(words)} - {None}
    return str(numbers.pop()) if len(numbers) == 1 else None


def _number(match: re.Match[str]) -> Fraction | None:
    value = parse_number(match["value"])
    if value is None or match["whole"] is None:
        return value
    whole = Fraction(match["whole"])
    return whole - value if match["whole"].startswith("-") else whole + value


def _plain_words(text: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).replace("−", "-")
    plain = _FRACTION.sub(r" \1/\2", _COMMAND.sub(r" \1", plain)).replace("\\", " ")
    plain = _THOUSANDS.sub("", plain)
    plain = re.sub(r"(?<=\d)\s*/\s*(?=\d)", "/", re.sub(r"(?<!\w)-\s+(?=\.?\d)", "-", plain))
    return " ".join(_MARKS_OF_NONE.sub(" ", plain).split())


def parse_number(text: str) -> Fraction | None:
    """An integer, decimal or fraction, with or without thousands separators, as an exact fraction."""
    compact = "".join(text.split()).replace(",", "").replace("−", "-")
    try:
        return Fraction(compact)
    except (ValueError, ZeroDivisionError):
        return None
