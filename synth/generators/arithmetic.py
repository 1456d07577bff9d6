"""The arithmetic that a chain of thought claims, checked by computing it.

A chain may reach the right answer through wrong equations; a student learns the wrong ones too. Every plain equation
``a op b … = c`` in the text is evaluated exactly; the claim fails when the two sides differ by more than rounding.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

_NUM = r"[$€£]?\s?\d[\d,]*(?:\.\d+)?%?"
_EQUATION = re.compile(rf"((?:\(|{_NUM})[\s\d.,()+*/×÷x%$€£−-]*?)=\s*([-−]?\s?{_NUM})")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def wrong_equations(text: str) -> list[str]:
    """The equations in ``text`` that do not hold, as they are written there."""
    plain = text
    for latex, sign in (("\\times", "*"), ("\\div", "/"), ("\\(", " "), ("\\)", " "), ("\\$", "$")):
        plain = plain.replace(latex, sign)
    return [f"{left.strip()} = {right.strip()}" for left, right in _EQUATION.findall(plain) if _is_wrong(left, right)]


def _is_wrong(left: str, right: str) -> bool:
    claimed, computed = _evaluate(right), _evaluate(left)
    if claimed is None or computed is None or not re.search(r"[-+*/×÷x−]", left.strip().lstrip("-−")):
        return False
    decimals = len(right.strip().rstrip("%").partition(".")[2])
    return abs(claimed - computed) > Fraction(1, 10**decimals)


def _evaluate(text: str) -> Fraction | None:
    """The exact value, or None for what is not plain arithmetic."""
    source = re.sub(r"[$€£,]", "", text).replace("×", "*").replace("x", "*").replace("÷", "/").replace("−", "-")
    source = re.sub(r"(\d+(?:\.\d+)?)%", r"(\1/100)", source).strip()
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
