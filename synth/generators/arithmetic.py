"""The arithmetic that a chain of thought claims, checked by computing it.

A chain may reach the right answer through wrong equations or numbers out of the air; a student learns those too. Every
plain equation ``a op b … = c (= d …)`` in the text is evaluated exactly, and every number that the text states has to
come from the question or from the result of such an equation.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator
from fractions import Fraction

from synth.generators.quantities import quantities

_LATEX = (("\\times", "*"), ("\\cdot", "*"), ("\\div", "/"), ("\\(", " "), ("\\)", " "), ("\\$", "$"))
# Words may stand between a number and the next sign, as in "3 boxes * 4 pens = 12 pens".
_NUMBER = r"[$€£]?\d[\d,]*(?:\.\d+)?%?"
_STEP = r"[^\S\n]*(?:[A-Za-z]+[^\S\n]+)*?[-+*/×÷−x()][^\S\n]*[$€£]?[\d(][\d,.]*%?\)*"
_SIDE = rf"[$€£]?\(*\s*{_NUMBER}(?:{_STEP})*"
_CLAIM = re.compile(rf"({_SIDE})(?:[^\S\n]+[A-Za-z]+)*[^\S\n]*=[^\S\n]*(?=({_SIDE}))")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def wrong_equations(text: str) -> list[str]:
    """The equations in ``text`` that do not hold, as they are written there."""
    return [f"{left} = {right}" for left, right, holds in _equations(text) if not holds]


def unsupported_numbers(question: str, text: str) -> list[str]:
    """The numbers that ``text`` states and that neither the question gives nor one of its true equations yields."""
    known = quantities(question).keys() | {Fraction(0), Fraction(1), Fraction(100)}
    for _, right, holds in _equations(text):
        if holds:
            known |= quantities(right).keys() | {_evaluate(right) or Fraction(0)}
    return [str(number) for number in sorted(quantities(text).keys() - known)]


def dead_ends(text: str, answer: str) -> list[str]:
    """The equations whose result is neither used again nor the answer: steps that lead nowhere."""
    # In a chain "12 / 4" is a division that uses 12, not the fraction 3.
    final, stated = quantities(answer).keys(), quantities(text.replace("/", " : "))
    found = []
    for left, right, _ in _equations(text):
        value = _evaluate(right)
        if value is not None and value not in final and stated[value] < 2:
            found.append(f"{left} = {right}")
    return found


def _equations(text: str) -> Iterator[tuple[str, str, bool]]:
    plain = text
    for latex, sign in _LATEX:
        plain = plain.replace(latex, sign)
    for left, right in _CLAIM.findall(plain):
        claimed, computed = _evaluate(right), _evaluate(left)
        if claimed is None or computed is None or not re.search(r"[-+*/×÷x−]", left.strip()[1:] + right.strip()[1:]):
            continue
        decimals = len(right.strip().rstrip("%)").partition(".")[2])
        yield left.strip(), right.strip(), abs(claimed - computed) <= Fraction(1, 2 * 10**decimals) * (decimals > 0)


def _evaluate(text: str) -> Fraction | None:
    """The exact value, or None for what is not plain arithmetic."""
    source = re.sub(r"[$€£,]", "", text).replace("×", "*").replace("÷", "/").replace("−", "-")
    source = re.sub(r"(?<=[\d\s])x(?=[\d\s])", "*", source)
    source = re.sub(r"[A-Za-z]+", " ", source).strip().rstrip(".")
    source = re.sub(r"(\d+(?:\.\d+)?)%", r"(\1/100)", source)
    source += ")" * (source.count("(") - source.count(")"))
    try:
        return _value(ast.parse(source, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError):
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
