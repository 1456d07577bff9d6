"""Where one word ends and the next begins, in every script."""

from __future__ import annotations

import re
import unicodedata

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\u2e80-\u2fff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Chinese and Japanese: no spaces between words, so that each character counts as one."""
MARKS = re.sub(
    " ?([0-9a-f]+)",
    lambda code: chr(int(code[1], 16)),
    "300-36f 483-487 591-5bd 5bf 5c1-5c2 5c4-5c5 5c7 610-61a 64b-65f 670 6d6-6dc 6df-6e4 6e7-6e8 6ea-6ed 711 "
    "730-74a 7a6-7b0 7eb-7f3 7fd 816-819 81b-823 825-827 829-82d 859-85b 898-89f 8ca-8e1 8e3-903 93a-93c "
    "93e-94f 951-957 962-963 981-983 9bc 9be-9cd 9d7 9e2-9e3 9fe-a03 a3c-a51 a70-a71 a75 a81-a83 abc abe-acd "
    "ae2-ae3 afa-b03 b3c b3e-b57 b62-b63 b82 bbe-bcd bd7 c00-c04 c3c c3e-c56 c62-c63 c81-c83 cbc cbe-cd6 "
    "ce2-ce3 d00-d03 d3b-d3c d3e-d4d d57 d62-d63 d81-d83 dca-ddf df2-df3 e31 e34-e3a e47-e4e eb1 eb4-ebc "
    "ec8-ecd f18-f19 f35 f37 f39 f3e-f3f f71-f84 f86-f87 f8d-fbc fc6 102b-103e 1056-1059 105e-1060 1062-1064 "
    "1067-106d 1071-1074 1082-108d 108f 109a-109d 135d-135f 1712-1715 1732-1734 1752-1753 1772-1773 17b4-17d3 "
    "17dd 180b-180d 180f 1885-1886 18a9 1920-193b 1a17-1a1b 1a55-1a7f 1ab0-1abd 1abf-1b04 1b34-1b44 1b6b-1b73 "
    "1b80-1b82 1ba1-1bad 1be6-1bf3 1c24-1c37 1cd0-1cd2 1cd4-1ce8 1ced 1cf4 1cf7-1cf9 1dc0-1dff 200c-200d "
    "20d0-20dc 20e1 20e5-20f0 2cef-2cf1 2d7f 2de0-2dff 302a-302f 3099-309a a66f a674-a67d a69e-a69f a6f0-a6f1 "
    "a802 a806 a80b a823-a827 a82c a880-a881 a8b4-a8c5 a8e0-a8f1 a8ff a926-a92d a947-a953 a980-a983 a9b3-a9c0 "
    "a9e5 aa29-aa36 aa43 aa4c-aa4d aa7b-aa7d aab0 aab2-aab4 aab7-aab8 aabe-aabf aac1 aaeb-aaef aaf5-aaf6 "
    "abe3-abea abec-abed fb1e fe00-fe0f fe20-fe2f 11100-11102 11127-11134 11145-11146 1e944-1e94a",
)
"""Vowel signs, accents and the like (Mn and Mc up to U+FFFF, those of Chakma and Adlam) and the joiners: ``\\w`` knows
none of them, and a word goes on over them. Written down: to look through all of Unicode takes a fifth of a second."""
WORD = rf"[^\W{UNSPACED}]+(?:[{MARKS}]+[^\W{UNSPACED}]*)*|(?![{MARKS}])[{UNSPACED}][{MARKS}]*"
"""The source of a regular expression for one word of a text in NFC."""
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
    return _WORD.findall(read_aloud(composed(text)).lower()) or text.split()


def composed(text: str) -> str:
    """``text`` in NFC: an é is one character, however it came."""
    return unicodedata.normalize("NFC", text)


_WORD = re.compile(WORD)
