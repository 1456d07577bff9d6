"""The arithmetic that a chain of thought claims, checked by computing it.

A chain may reach the right answer through wrong equations or numbers out of the air; a student learns those too. Every
plain equation ``a op b … = c (= d …)`` in the text is evaluated exactly, and every number that the text states has to
come from the question, from what everybody knows (a week has 7 days), or from computing. Equations with unknowns are
passed over.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator
from fractions import Fraction

from synth.generators.quantities import quantities

# Words may stand between a number and the next sign, as in "3 boxes * 4 pens = 12 pens".
# A sign hugs its number, and nothing that it could join to it: no 10-20, and no dash of a list.
_SIGN = r"(?:(?<![-−–—\w).,%$€£])[-−](?=[\d$€£(]))?"
_NUMBER = rf"{_SIGN}[$€£]?\d++(?:,\d+)*+(?:\.\d+)?%?"
_STEP = rf"[^\S\n]*(?:[A-Za-z]+[^\S\n]+){{0,9}}?[-+*/×÷−x(][^\S\n]*\(*[^\S\n]*{_NUMBER}\)*"
# Bounded and possessive: a model that repeats itself for pages is read in linear time.
_SIDE = rf"{_SIGN}[$€£]?\({{0,9}}\s*{_NUMBER}\)*(?:{_STEP}){{0,30}}+"
_CLAIM = re.compile(rf"({_SIDE})(?:[^\S\n]+[A-Za-z]+){{0,9}}[^\S\n]*=[^\S\n]*(?=((?:[-−] )?{_SIDE}))")
_OPERATION = re.compile(r"[-+*/×÷x−]")
_EXPRESSION = re.compile(_SIDE)
_UNKNOWN = re.compile(r"\d[A-Za-wyz]|\dx(?!\s*[\d(])|[-+*/=(]\s*[A-Za-z]\b(?!\s*\w)|\b[A-Za-z]\s*[-+*/)=]")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_SPELLINGS = tuple(
    (re.compile(pattern, re.MULTILINE), meaning)
    for pattern, meaning in (
        # The number of a step or of a list's item is no quantity.
        (r"^\W*(?:step\s+)?\d{1,2}[.):](?=\s|\*|$)", " "),
        (r"(?i)\bstep\s+\d{1,2}\b", "step"),
        # Nor is a count of what was named before.
        (r"(?i)\b(all|the|these|those|into) (?:two|three|four|five)\b", r"\1"),
        (r"\\[dt]?frac\s*\{\s*([\d.,]+)\s*\}\s*\{\s*([\d.,]+)\s*\}", r"\1 / \2"),
        (r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"(\1)/(\2)"),
        (r"\\(?:text|mathrm|mathbf|textbf|boxed)\s*\{([^{}]*)\}", r" \1 "),
        (r"\\(?:times|cdot)(?![a-z])", "*"),
        (r"\\div(?![a-z])", "/"),
        (r"\\(?:left|right|quad|,|;|!|\(|\)|\[|\])", " "),
        (r"\\([$%])", r"\1"),
        (r"(?<=[A-Za-z])/(?=[A-Za-z])", " per "),
        (r"\*\*|`", " "),
        (r"(?<=\d)\{,\}(?=\d)", ","),
    )
)
_COMMON = {
    "week": (7, 52),
    "day": (24, 7, 30, 365),
    "hour": (60, 24),
    "minute": (60,),
    "second": (60,),
    "month": (12, 30, 4),
    "year": (12, 52, 365),
    "dozen": (12,),
    "feet": (12,),
    "foot": (12,),
    "inch": (12,),
    "yard": (3,),
    "cent": (100,),
    "quarter": (4, 25),
    "pair": (2,),
    "both": (2,),
    "twice": (2,),
    "double": (2,),
    "half": (2, Fraction(1, 2)),
    "third": (3,),
    "average": (2,),
    "kilo": (1000,),
}
"""What everybody knows of a word, in the question or in the chain."""


def wrong_equations(text: str) -> list[str]:
    """The equations in ``text`` that do not hold, as they are written there."""
    wrong = [f"{left} = {right}" for left, right, holds in _equations(_plain(text)) if not holds]
    return [" ".join(equation.split()) for equation in wrong]


def unsupported_numbers(question: str, text: str) -> list[str]:
    """The numbers that ``text`` states and that neither the question or common knowledge gives nor computing yields."""
    plain = _plain(text)
    known = quantities(question).keys() | _commonly_known(f"{question} {plain}") | {Fraction(0), Fraction(1)}
    known |= {Fraction(100)}
    for match in _EXPRESSION.finditer(plain):
        known |= {abs(value) for value in _steps_of(match[0])}  # what is stated is read without its sign
    for line in filter(_UNKNOWN.search, plain.splitlines()):  # algebra, which is not checked here
        known |= quantities(_without_fractions(line)).keys()
    for _, right, holds in _equations(plain):
        if holds:
            known |= quantities(right).keys() | {_evaluate(right) or Fraction(0)}
    stated = quantities(_without_fractions(plain)).keys()
    return [str(number) for number in sorted(stated - known)]


def dead_ends(text: str, answer: str) -> list[str]:
    """The equations whose result is neither used again nor the answer: steps that lead nowhere."""
    plain = _plain(text)
    final, stated = quantities(answer).keys(), quantities(_without_fractions(plain))
    found = []
    for left, right, _ in _equations(plain):
        value = _evaluate(right)
        if value is not None and abs(value) not in final and stated[abs(value)] < 2:
            found.append(f"{left} = {right}")
    return found


def _without_fractions(plain: str) -> str:
    # In a chain "12 / 4" is a division that uses 12, not the fraction 3.
    return plain.replace("/", " : ")


def _plain(text: str) -> str:
    """``text`` without the marks of LaTeX and of lists."""
    for pattern, meaning in _SPELLINGS:
        text = pattern.sub(meaning, text)
    return text


def _commonly_known(text: str) -> set[Fraction]:
    lower = text.lower()
    known = {Fraction(number) for word, numbers in _COMMON.items() if word in lower for number in numbers}
    for percent in re.findall(r"(\d+(?:\.\d+)?)\s?(?:%|percent)", lower):
        share = Fraction(percent) / 100
        known |= {share, 1 - share, 1 + share, 100 - Fraction(percent), 100 + Fraction(percent)}
    return known


def _equations(plain: str) -> Iterator[tuple[str, str, bool]]:
    for match in _CLAIM.finditer(plain):
        left, right = match.groups()
        line = plain[plain.rfind("\n", 0, match.start()) + 1 : match.end(2)]
        before = plain[: match.start()].rstrip(" ")[-1:]
        # A part of something longer, and a label such as "price of 4 = 4 * 12", claim nothing that can be computed.
        if (
            _UNKNOWN.search(line)
            or before in set("+-*/^")
            or (before != "=" and not _OPERATION.search(left.strip()[1:]))
        ):
            continue
        claimed, computed = _evaluate(right), _evaluate(left)
        if claimed is None or computed is None or not _OPERATION.search(left.strip()[1:] + right.strip()[1:]):
            continue
        decimals = len(right.strip().rstrip("%)").partition(".")[2])
        yield left.strip(), right.strip(), abs(claimed - computed) <= Fraction(1, 2 * 10**decimals) * (decimals > 0)


def _evaluate(text: str) -> Fraction | None:
    """The exact value, or None for what is not plain arithmetic."""
    tree = _parse(text)
    try:
        return None if tree is None else _value(tree)
    except (ValueError, ZeroDivisionError, RecursionError):
        return None


def _steps_of(text: str) -> Iterator[Fraction]:
    """The value of ``text`` and of every operation in it."""
    tree = _parse(text)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.BinOp):
            try:
                yield _value(node)
            except (ValueError, ZeroDivisionError, RecursionError):
                continue


def _parse(text: str) -> ast.expr | None:
    source = re.sub(r"[$€£,]", "", text).replace("×", "*").replace("÷", "/").replace("−", "-")
    source = re.sub(r"(?<=[\d\s])x(?=[\d\s])", "*", source)
    source = re.sub(r"[A-Za-z]+", " ", source).strip().rstrip(".")
    source = re.sub(r"(\d+(?:\.\d+)?)%", r"(\1/100)", source)
    source += ")" * (source.count("(") - source.count(")"))
    try:
        return ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number):
            return Fraction(str(number))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left), _value(right))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case _:
            raise ValueError("not plain arithmetic")
