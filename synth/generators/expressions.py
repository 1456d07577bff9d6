"""Algebra in final answers: ``sqrt(12)`` and ``2\\sqrt{3}``, ``(x+1)^2`` and ``x^2 + 2x + 1`` are the same.

An expression is read by a grammar of our own (sympy's ``parse_expr`` evaluates what it is given), within bounds that
keep the algebra short, and written in a normal form: expanded, cancelled, without roots in the denominator. Rational
functions and roots that are equal have the same form; trigonometric identities are not tried.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_VARIABLES = "abnpqruvwxyz"
"""Letters that are more often an unknown than a unit after a number."""
_TOKENS = re.compile(rf"(?:\s|\d+(?:\.\d+)?|\*\*|[-+*/^()]|sqrt|pi|[{_VARIABLES}])+")
_MOST_CHARACTERS, _MOST_DIGITS, _MOST_DEGREE, _MOST_VARIABLES = 120, 15, 10, 3
_MOST_DIGITS_OF_A_POWER = 100
_ARGUMENT = r"\s*(?:\{([^{}]*)\}|(\d))"
_FRACTION = re.compile(rf"\\[dt]?frac{_ARGUMENT}{_ARGUMENT}")
_ROOT = re.compile(rf"\\sqrt{_ARGUMENT}")
_NTH_ROOT = re.compile(rf"\\sqrt\s*\[\s*(\d+)\s*\]{_ARGUMENT}")
_NUMBER = re.compile(r"-?\d+(?:/\d+)?")
_SPELLINGS = (
    ("\\left", ""),
    ("\\right", ""),
    ("\\cdot", "*"),
    ("\\times", "*"),
    ("\\pi", "pi"),
    ("\\", ""),
    ("{", "("),
    ("}", ")"),
    ("·", "*"),
    ("×", "*"),
    ("−", "-"),
    ("π", "pi"),
    ("√", "sqrt"),
    ("$", ""),
)


def normal_form(text: str) -> str | None:
    """The normal form of an expression in numbers, one-letter unknowns, ``+ - * / ^``, roots and pi, in plain text or
    LaTeX; None where ``text`` is none, or one too large to work on. A form is a number or its own normal form."""
    form = _form_of(text)
    return form if form is not None and (_NUMBER.fullmatch(form) or _form_of(form) == form) else None


def _form_of(text: str) -> str | None:
    source = _plain(text)
    if source is None:
        return None
    try:
        tree = ast.parse(source, mode="eval").body
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"sqrt", "pi"}
        if len(names) > _MOST_VARIABLES or _degree(tree) > _MOST_DEGREE:
            return None
        return _form(tree)
    except (_NoExpression, SyntaxError, ValueError, RecursionError, MemoryError, ZeroDivisionError):
        return None


class _NoExpression(Exception):
    """What was read is no expression of our grammar."""


def _plain(text: str) -> str | None:
    plain = text.strip().lower()
    if not plain or len(plain) > _MOST_CHARACTERS:
        return None
    while (simpler := _without_braces(plain)) != plain:
        plain = simpler
    for spelling, meaning in _SPELLINGS:
        plain = plain.replace(spelling, meaning)
    plain = plain.strip().rstrip(".")
    if not _TOKENS.fullmatch(plain) or max(map(len, re.findall(r"\d+", plain)), default=0) > _MOST_DIGITS:
        return None
    plain = plain.replace("^", "**")
    plain = re.sub(r"sqrt\s*(\d+)", r"sqrt(\1)", plain)
    factor = rf"(?=sqrt|pi|[{_VARIABLES}(])"
    plain = re.sub(rf"(?<=[\d)]){factor}|(?<=\d)\s+(?=sqrt|pi|[xyz]+(?![a-z]))", "*", plain)
    return re.sub(rf"(?<=[xyz]){factor}", "*", plain)


def _without_braces(latex: str) -> str:
    plain = _NTH_ROOT.sub(r"((\2\3)**(1/\1))", _FRACTION.sub(r"((\1\2)/(\3\4))", latex))
    return _ROOT.sub(r"sqrt(\1\2)", plain)


def _degree(node: ast.expr) -> int:
    """An upper bound of the degree of the expanded polynomials, so that expanding them is soon done. A power of a
    plain number is a number; its length is bounded instead."""
    match node:
        case ast.BinOp(left=left, op=ast.Pow(), right=right) if _is_plain(left):
            if len(ast.unparse(left)) * _power(right) > _MOST_DIGITS_OF_A_POWER:
                raise _NoExpression
            return 1
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _degree(left) * max(1, _power(right))
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            return _degree(left) + _degree(right)
        case ast.BinOp(left=left, right=right):
            return max(_degree(left), _degree(right))
        case ast.UnaryOp(operand=operand) | ast.Call(args=[operand]):
            return _degree(operand)
        case _:
            return 1


def _is_plain(node: ast.expr) -> bool:
    return not any(isinstance(part, ast.Name | ast.Pow) for part in ast.walk(node))


def _power(exponent: ast.expr) -> int:
    """Only numbers: what an exponent of exponents computes fills any memory."""
    match exponent:
        case ast.Constant(value=int() as power):
            return power
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _power(operand)
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=int() as root)) if root <= _MOST_DEGREE:
            return _power(left)
        case _:
            raise _NoExpression


def _form(tree: ast.expr) -> str | None:
    import sympy

    value = _value(tree, sympy)
    value = sympy.cancel(sympy.expand(value)) if value.free_symbols else sympy.radsimp(sympy.expand(value))
    if value.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
        return None
    return str(value)


def _value(node: ast.expr, sympy: Any) -> Any:
    operators: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
        ast.Add: lambda left, right: left + right,
        ast.Sub: lambda left, right: left - right,
        ast.Mult: lambda left, right: left * right,
        ast.Div: lambda left, right: left / right,
        ast.Pow: lambda left, right: left**right,
    }
    match node:
        case ast.Constant(value=int() | float() as number):
            return sympy.Rational(str(number))
        case ast.Name(id="pi"):
            return sympy.pi
        case ast.Name(id=name) if len(name) == 1:
            return sympy.Symbol(name, positive=True)
        case ast.Call(func=ast.Name(id="sqrt"), args=[inner], keywords=[]):
            return sympy.sqrt(_value(inner, sympy))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, sympy)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in operators:
            return operators[type(op)](_value(left, sympy), _value(right, sympy))
        case _:
            raise _NoExpression
