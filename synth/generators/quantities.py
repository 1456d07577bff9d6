"""The numbers that a text states, in digits or in words: a rephrased problem must state the same ones."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from synth.generators.answers import parse_number

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: value for value, word in enumerate(_UNITS)} | {word: 10 * (i + 2) for i, word in enumerate(_TENS)}
_WORDS |= {"dozen": 12, "twice": 2, "double": 2, "thrice": 3, "triple": 3, "half": 2, "halves": 2}
# "one" is more often a pronoun than a number.
del _WORDS["one"]
_TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?(?:\s?/\s?\d+)?|[a-z]+", re.IGNORECASE)


def quantities(text: str) -> Counter[Fraction]:
    """Each number in the text with how often it stands there.

    1 is left out, as "one" and "a" say it too; "twenty-five" is one number.
    """
    found: Counter[Fraction] = Counter()
    tens: Fraction | None = None
    for token in _TOKEN.findall(text.lower().replace("-", " ")):
        value = parse_number(token.rstrip(",")) if token[0].isdigit() else _word_value(token)
        if tens is not None:
            joins = value is not None and 0 < value < 10 and not token[0].isdigit()
            found[tens + value if joins and value else tens] += 1
            tens = None
            if joins:
                continue
        if value is not None and token in _TENS:
            tens = value
        elif value is not None and value != 1:
            found[value] += 1
    if tens is not None:
        found[tens] += 1
    return found


def _word_value(word: str) -> Fraction | None:
    value = _WORDS.get(word)
    return None if value is None else Fraction(value)
