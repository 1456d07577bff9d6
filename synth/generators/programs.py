"""Answers by program: a model writes a program for a question, and what the program prints is the answer.

Program of thoughts (arXiv 2211.12588) as a second, independent way to an answer: the program is written without sight
of any chain, so that the two agree by chance far less often than two chains do.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.together import together
from synth.errors import Rejected
from synth.generators.answers import parse_number
from synth.sandbox.program import Limits, run_program

_FENCED = re.compile(r"```[^\S\n]*(\w*)[^\n]*\n(.*?)(?:^[^\S\n]*```|\Z)", re.DOTALL | re.MULTILINE)
_PYTHON = {"python", "py", "python3", ""}
# Models often define solution() and forget to call it.
_CALL = """
if callable(globals().get("solution")):
    _answer = solution()
    if _answer is not None:
        print(_answer)
"""
_LIMITS = Limits(seconds=5.0, output_bytes=20_000)
_MOST_DENOMINATOR = 1000
_ROUNDING = Fraction(1, 10**9)


@dataclass(frozen=True, slots=True)
class Computed:
    """One program and what it printed last, or None and why it printed nothing usable."""

    source: str
    answer: str | None
    complaint: str = ""


async def compute(
    programmer: Agent, context: UnitContext, question: str, samples: int, *, first_sample: int = 0
) -> list[Computed]:
    """``samples`` independent programs, run, in order."""
    numbers = range(first_sample, first_sample + samples)
    return await together(_compute(programmer, context, question, number) for number in numbers)


async def _compute(programmer: Agent, context: UnitContext, question: str, sample: int) -> Computed:
    try:
        answer = await programmer.ask(context, {"question": question}, sample=sample)
    except Rejected as rejected:
        if rejected.gate == "template":
            raise
        return Computed(rejected.text, None, rejected.reason)
    source = extract_program(answer.text)
    result = await run_program(source, limits=_LIMITS)
    if result.ok and not result.stdout.strip():
        result = await run_program(source + _CALL, limits=_LIMITS)
    if not result.ok:
        return Computed(source, None, result.complaint)
    lines = result.stdout.strip().splitlines()
    if not lines:
        return Computed(source, None, "it prints nothing")
    return Computed(source, _tidy(lines[-1].strip()))


def extract_program(text: str) -> str:
    """The last fenced block of Python; where the opening fence was left out, what stands before the first fence; else
    all. Blocks of another language, such as the output that a model imagines, are passed over."""
    head = text.partition("```")[0]
    blocks = [block for language, block in _FENCED.findall(text) if language.lower() in _PYTHON and block.strip()]
    if not _is_python(head) and blocks:
        return f"{blocks[-1].strip()}\n"
    return f"{head.strip()}\n"


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return bool(text.strip()) and "(" in text


def _tidy(printed: str) -> str:
    """A printed float as the number that was meant: 0.30000000000000004 is 0.3, 0.3333333333333333 is 1/3, 7.0 is 7."""
    number = parse_number(printed)
    if number is None or not re.search(r"[.e]", printed, re.IGNORECASE):
        return printed
    meant = number.limit_denominator(_MOST_DENOMINATOR)
    if abs(meant - number) > _ROUNDING:
        meant = round(number, 6) or number
    decimal = f"{Decimal(meant.numerator) / Decimal(meant.denominator):.9f}".rstrip("0").rstrip(".")
    return decimal if Fraction(decimal) == meant else str(meant)
