"""Where one word ends and the next begins, in every script."""

from __future__ import annotations

import re

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\u2e80-\u2fff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Chinese and Japanese: no spaces between words, so that each character counts as one."""
WORD = rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+"
"""The source of a regular expression for one word."""
_OPERATORS = {
    "+": "plus", "-": "minus", "−": "minus", "*": "times", "×": "times", "·": "times", "/": "over", "÷": "over",
    "^": "power", "**": "power", "%": "modulo", "=": "equals", "<": "below", ">": "above",
}  # fmt: skip
_BETWEEN_NUMBERS = re.compile(
    rf"(?<=[\d)])[ \t]*({'|'.join(map(re.escape, sorted(_OPERATORS, key=len, reverse=True)))})[ \t]*(?=[-(]?\d)"
)


def read_aloud(text: str) -> str:
    """``text`` with the operators between numbers as the words they are read as: 12 + 7 is not 12 - 7."""
    return _BETWEEN_NUMBERS.sub(lambda match: f" {_OPERATORS[match[1]]} ", text)


def words_of(text: str) -> list[str]:
    """The words of ``text`` read aloud, in lower case; its signs where it has no word, such as emoji."""
    return _WORD.findall(read_aloud(text).lower()) or text.split()


_WORD = re.compile(WORD)
