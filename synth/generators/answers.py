"""Final answers: find the one that a chain of thought ends in, and tell whether two are the same."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from synth.generators.expressions import normal_form

_SOLUTION_END = re.compile(r"^####[ \t]*(?P<answer>\S[^\n]*)$", re.M)
_MARKS = (
    re.compile(r"^[^\w\n]*(?:the\s+)?(?:final\s+)?answer(?:\s+is)?[ \t:=*_]*(?P<answer>[^\s:=*_][^\n]*)$", re.I | re.M),
    re.compile(r"\banswer\s+is[ \t:]*(?P<answer>[^\s:][^\n]*)", re.I),
    re.compile(r"\bAnswer:[ \t*_]*(?P<answer>[^\s:*_][^\n]*)"),
    _SOLUTION_END,
    re.compile(r"^[^\w\n]*(?:the\s+)?(?:final\s+)?answer(?:\s+is)?[ \t:=*_]*\n\s*(?P<answer>[^\n]+)\s*\Z", re.I | re.M),
)
_BOXED = "\\boxed{"

# Before a point only a capital of the first five is a choice: "B. Paris", not "C. S. Lewis" or "J. Smith".
_CHOICE = re.compile(
    r"(?!\W*-[a-j]\W*$)\W*(?:(?:option|choice|answer)\W+)?"
    r"(?P<letter>[a-j](?=\W*$|\)?[):]\s)|(?-i:[A-E](?=\.\s+(?![A-Z]\.))))",
    re.I,
)
_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NUMBER = re.compile(
    r"(?<![\w./])(?:(?P<whole>-?\d+) (?=\d+/\d))?(?P<value>[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:/\d+)?)(?![\w./]*\d)"
    rf"(?: (?P<scale>{'|'.join(_SCALES)})s?\b)?"
)
_MOST_CHARACTERS_OF_A_NUMBER = 1000
_HUGE = re.compile(r"e[-+]?\d{4}", re.I)
# Several numbers, or what is said of one: a list, a time, a bound. "<b>" and "=>" are no comparison.
_MORE_THAN_A_NUMBER = re.compile(
    r"[\d}]\s*[,;]\s*[-+$(]?\s*(?:[\d.]|\\[dt]?frac|\\sqrt)|\d\s*:\s*\d|[<>≤≥≠]|!=|\\(?:leq?|geq?|neq?|lt|gt)\b"
    r"|\b(?:not|than|at\s+least|at\s+most)\s+[-$]?\d|\bor\s+(?:more|less|fewer|greater|higher|lower|above|below)\b",
    re.I,
)
_FUNCTION = r"(?<![a-z])(?:arc)?(?:sqrt|[dt]?frac|ln|log|exp|sin|cos|tan|cot|csc)(?![a-z])"
_LETTER = r"(?<![a-z])[a-z](?![a-z])"
# Signs that say what is to be computed. A hyphen or a stroke between words does not.
_ALGEBRA = re.compile(
    rf"[\^|±∞]|(?:[\d)]|{_LETTER})\s*!|[\w)}}]\s*\+\s*[\w($\\]|\w\*\w|[\w)]\s\*\s[\w(]|{_LETTER}\s*/\s*\d"
    rf"|(?:[\d)]|{_LETTER})\s*-\s*(?:[\d(]|{_LETTER}|\\?{_FUNCTION})|^\W*-\s*\\?{_FUNCTION}|^\W*-{_LETTER}"
)
# A number beside these is not the whole answer: ln 5, 2i, 5 and a half, a million of 5.
_NO_UNIT = re.compile(
    rf"{_FUNCTION}|π|\bpi\b|\b(?:minus|negative|half|halves|(?:a|one) (?:third|quarter)|(?:{'|'.join(_SCALES)})s?)\b"
    r"|\d(?:[abeknopqruvwxyz]|\s?i)(?![a-z])"
)
# What is measured in lengths, with the power that an area or an acceleration has.
_MEASURED = re.compile(
    r"(?P<value>-?(?:[\d\s.,/(){}^π√*·×$]|\\?(?:[dt]?frac|sqrt|pi|times|cdot))+?(?<=[\d)}πi]))"
    r"\s*(?:(?:square|sq\.?|cubic)\s+)?"
    r"(?:[kcmd]?m|ft|in|yd|mi|inch(?:es)?|f(?:ee|oo)t|yards?|miles?|(?:centi|kilo|milli)?met(?:er|re)s?|units?)"
    r"(?:\s*/\s*s)?(?:\s*\^\s*\{?\s*[23]\s*\}?|[23])?[\s.$)\\]*",
    re.I,
)
_REMARK = re.compile(r"\s\(((?!mod|base)[^()]*[a-z]{3}[^()]*)\)\W*$", re.I)
# Equations: a name may stand to the left of its value, numbers to the left of what they make.
_EQUALS = re.compile(r"=(?![^()]*\))")
_NAME = re.compile(
    r"(?:[fghPE]|Pr|Var)\s*\([^()]*\)\s*"
    rf"|(?!\W*[a-z]\s*[a-z]\W*$)(?!.*{_FUNCTION})(?:[^\d+*/^<>|-]|_\{{?\d+\}}?|(?<=[A-Za-z])\d|-(?=[a-z]{{3}}))+"
)
_UNKNOWN = re.compile(
    r"(?<![a-z\\'])(?!(?<=\d )[cdfghlmst]\b|(?<=/)[hms]\b|a [a-z]{2}|π|(?<=\d)x\d|(?<=\d )x \d)[^\W\d_](?![a-z])"
    r"|(?<![a-z])(?:[xyz]{2,}|alpha|beta|gamma|theta|lambda|mu|phi|omega)(?![a-z])",
    re.I,
)
_NEXT_STATEMENT = re.compile(r"[,;\n]|\b(?:and|or)\b|\bq?quad\b", re.I)
_NEXT_NAME = re.compile(r"\d\s+[a-z]\s*$", re.I)
_MOST_SPELLINGS = 9
"""Signs that were apart come together when what stood between them goes; it is soon over."""
_SIGNS = {"≤": "<=", "≥": ">=", "≠": "!=", "\\leq": "<=", "\\geq": ">=", "\\neq": "!="}
_SIGNS |= {"\\le": "<=", "\\ge": ">=", "\\ne": "!=", "\\lt": "<", "\\gt": ">", ",": ";"}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ", "0123456789-n")
_TYPOGRAPHY = tuple(
    (re.compile(pattern, re.I), meaning)
    for pattern, meaning in (
        (r"</?[a-z]+>|[-=]+>", ""),
        (r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}", r" \1 "),
        (r"\\(?:left|right)(?![a-z])|\\[ ,;:!]", " "),
        (r"\s*(?:\^\s*\{?\s*\\circ\s*\}?|\\degrees?(?![a-z])|°)", " "),
        (r"\\pm(?![a-z])", "±"),
        (r"\\infty(?![a-z])", "∞"),
        (r"[−–]", "-"),
        (r"((?:^|=)[^\w=]*)(?:minus|negative)\s+(?=\\?[$€£]?\s*\.?\d)", r"\1-"),
        (r"(?<!\w)-\s*\\?[$€£]\s*(?=\.?\d)", "-"),
        (r"(?<=\d)(?:,|\{,\})(?=\d{3}(?!\d))", ""),
    )
)
_FRACTION = re.compile(r"\\[dt]?frac\s*(?:(\d)|\{\s*(\d+)\s*\})\s*(?:(\d)|\{\s*(\d+)\s*\})")
# A point or a stroke between digits, a point or a minus sign before them, belongs to the number; other marks do not.
_MARKS_OF_NONE = re.compile(r"(?:(?!(?<=\d)[./](?=\d)|(?<!\w)\.(?=\d)|(?<!\w)-(?=\.?\d))[^\w])+")


def parse_final_answer(text: str) -> str | None:
    """What stands after the last answer mark (``Answer:``, ``the answer is``, ``\\boxed{}``, ``####``), or None.

    A sentence with "the answer is" in it counts for less than a number or a choice before it.
    """
    boxed = _boxed(text)
    found = [(*boxed, True)] if boxed else []
    for pattern in _MARKS:
        for match in pattern.finditer(text):
            start = match.start("answer")
            found.append((start, match["answer"], any(sign in text[match.start() : start] for sign in ":=#")))
    best: str | None = None
    for _, answer, is_marked in sorted(found, key=lambda one: one[0]):
        if best is None or is_marked or _is_definite(answer) or not _is_definite(best):
            best = answer
    return None if best is None else _bare(best)


def reference_answer(text: str) -> str:
    """The answer of a seed that has a whole solution for it, as GSM8K (``#### 7``) and MATH (``\\boxed{7}``) are
    published; of another the text itself."""
    boxed = _boxed(text)
    ends = [(match.start("answer"), match["answer"]) for match in _SOLUTION_END.finditer(text)]
    found = max(ends[-1:] + ([boxed] if boxed else []), default=None)
    return (_bare(found[1]) if found else None) or text.strip()


def _bare(answer: str) -> str | None:
    return answer.strip().strip("*_`$ ").rstrip(".").strip("*_`$ ") or None


def _is_definite(answer: str) -> bool:
    return bool(re.search(r"\d", answer) or _CHOICE.match(answer))


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
    ``1,250.50 dollars`` is ``2501/2``, ``1 1/2`` is ``3/2``, ``5 million`` is ``5000000``; units are not compared.
    Algebra becomes its normal form (:mod:`synth.generators.expressions`). Of ``x = 5`` and ``3 + 4 = 7`` the value
    counts; of an equation in unknowns, both sides. Lists, times and bounds (``(3, 4)``, ``3:30``, ``x < 3``) and
    algebra without a normal form (``5!``, ``e^5``) are compared sign by sign, all else as plain words.
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
    text = _typed(answer)
    choice = _CHOICE.match(text)
    if choice:
        return choice["letter"].upper()
    if _MORE_THAN_A_NUMBER.search(text):
        return _sign_by_sign(text)
    remark = _REMARK.search(text)
    if remark and re.search(r"\d", text[: remark.start()]) and not _NO_UNIT.search(remark[1].casefold()):
        text = text[: remark.start()]
    sides = [side for side in _EQUALS.split(text) if side.strip()] or [text]
    value = _value(sides)
    if value is not None:
        return _spell_value(value)
    forms = [form for side in sides[:2] if (form := normal_form(side)) is not None]
    return " = ".join(forms) if len(forms) == len(sides) else _sign_by_sign(text)


def _typed(answer: str) -> str:
    """The same in plain characters: ``5½`` is ``5 1/2``, ``cm²`` is ``cm^2``, ``-$5`` is ``-5``."""
    text = re.sub(r"[⁰¹²³⁴-⁹⁻ⁿ]+", lambda raised: "^" + raised[0].translate(_RAISED), answer)
    text = re.sub(r"(?<=\d)(?=[¼-¾⅐-⅞])", " ", text)
    text = unicodedata.normalize("NFKC", text).replace("⁄", "/")
    for pattern, meaning in _TYPOGRAPHY:
        text = pattern.sub(meaning, text)
    return text


def _value(sides: list[str]) -> str | None:
    """The side of an equation that is the answer; None where the answer is all of it."""
    first, *between, last = ["", *sides] if len(sides) == 1 else sides
    if any(_NEXT_STATEMENT.search(side) or _NEXT_NAME.search(side) for side in between):
        return None
    if not first or _NAME.fullmatch(first):
        return last
    if not re.search(r"\d", first) or _NEXT_STATEMENT.search(first) or any(map(_UNKNOWN.search, [first, *between])):
        return None
    if not between and _NAME.fullmatch(last):
        return first
    return None if _UNKNOWN.search(last) else last


def _spell_value(text: str) -> str:
    measured = _MEASURED.fullmatch(text.strip())
    text = measured["value"] if measured else text
    words = _plain_words(text)
    whole, is_algebra = _NUMBER.fullmatch(words), _ALGEBRA.search(text.casefold())
    if whole and not is_algebra and (number := _number(whole)) is not None:
        return str(number)
    form = normal_form(text)
    if form is not None and not _CHOICE.match(form):
        return form
    if is_algebra:
        return _sign_by_sign(text)
    found = list(_NUMBER.finditer(words))
    numbers = {_number(match) for match in found} - {None}
    if len(numbers) != 1 or _NO_UNIT.search(_NUMBER.sub(lambda match: match["value"], words)):
        return words or _sign_by_sign(text)
    return str(numbers.pop())


def _sign_by_sign(text: str) -> str:
    for sign, meaning in _SIGNS.items():
        text = text.replace(sign, meaning)
    text = re.sub(r"\\(?=[{}()\[\]])|[\\$]", "", unicodedata.normalize("NFKC", text.casefold())).strip(" .")
    text = re.sub(r"\^\{(\w+)\}", r"^\1", text)
    text = re.sub(r"\s*([^\w\s]|(?<=\w)\s+(?=\w))\s*", lambda match: match[1].strip() or " ", text)
    inside = re.fullmatch(r"\(([^()]*)\)", text)
    return inside[1] if inside else text


def _number(match: re.Match[str]) -> Fraction | None:
    value = parse_number(match["value"])
    if value is None:
        return None
    whole = Fraction(match["whole"] or 0)
    sign = -1 if (match["whole"] or "").startswith("-") else 1
    return (whole + sign * value) * _SCALES.get(match["scale"], 1)


def _plain_words(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text.casefold())
    plain = _FRACTION.sub(r" \1\2/\3\4", plain).replace("\\", " ").replace("√", " sqrt ")
    plain = re.sub(r"(?<=\d)\s*/\s*(?=\d)", "/", re.sub(r"(?<!\w)-\s+(?=\.?\d)", "-", plain))
    return " ".join(_MARKS_OF_NONE.sub(" ", plain).split())


def parse_number(text: str) -> Fraction | None:
    """An integer, decimal or fraction, with or without thousands separators, as an exact fraction; None for all else,
    and for one too long to compute with."""
    compact = "".join(text.split()).replace(",", "").replace("−", "-")
    if len(compact) > _MOST_CHARACTERS_OF_A_NUMBER or _HUGE.search(compact):
        return None
    try:
        return Fraction(compact)
    except (ValueError, ZeroDivisionError):
        return None
