"""What a reader searches for, in the terms of SQLite's FTS5: words are prefixes, and all of them must be there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synth.diversity.words import MARKS, UNSPACED, WORD, composed

TOKENS = "unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
"""How FTS5 takes words: with their vowel signs."""
MOST_INDEXED = 1_000_000
"""Characters of one text; more are not found."""
_QUOTED = re.compile(r'"([^"]*)"|(\S+)')
_WORD = re.compile(WORD)
_RUN = re.compile(rf"\w[\w{MARKS}]*")
_UNSPACED = re.compile(rf"((?![{MARKS}])[{UNSPACED}\uac00-\ud7af][{MARKS}]*)")  # Korean is searched within words too
_PICTURED = "\ufe0f"  # after a sign that is to be an emoji: no word, though it is a mark
_BEFORE, _AROUND = 60, 220


def spaced(text: str) -> str:
    """``text`` with each character of a script without spaces as a word of its own."""
    return text if text.isascii() else _UNSPACED.sub(r" \1 ", composed(text).replace(_PICTURED, ""))


def words_in(text: str) -> set[str]:
    """The words of ``text`` as the index has them, but for their accents."""
    return {word.lower() for word in _WORD.findall(spaced(text))}


def match_expression(asked: str) -> str | None:
    """The FTS5 expression for what was typed; None where there is no word in it. A quoted text is a phrase."""
    terms = []
    for phrase, word in _QUOTED.findall(asked):
        words = _WORD.findall(spaced(phrase or word))
        if words:
            terms.append(f'"{" ".join(words)}"' + ("" if phrase else "*"))
    return " ".join(terms) or None


def searched_words(asked: str) -> list[str]:
    """The single words of what was typed, in lower case: what a hit shows in bold."""
    return [word.lower() for word in _RUN.findall(asked)]


def texts_of(row: Mapping[str, Any]) -> Iterator[str]:
    """Everything in an attempt that someone may search for."""
    yield str(row.get("id", ""))
    for name in ("reason", "text", "seed_id", "goal", "separates"):
        if isinstance(row.get(name), str):
            yield row[name]
    for name in ("messages", "prompt", "chosen", "rejected", "responses"):
        yield from _spoken(row.get(name))
    for solution in row.get("solutions") or ():
        yield from _spoken(solution["messages"])


def _spoken(messages: object) -> Iterator[str]:
    """What messages say, or the responses of a preference row."""
    for message in messages if isinstance(messages, list) else ():
        for name in ("content", "reasoning_content", "reason"):
            if isinstance(message.get(name), str):
                yield message[name]
        for call in message.get("tool_calls") or ():
            yield f"{call['function']['name']} {call['function']['arguments']}"


def excerpt(row: Mapping[str, Any], asked: str = "") -> str:
    """A row in one line: about the first word searched for, else from where it says something of its own."""
    said = _said(row)
    words = searched_words(asked)
    if words:
        for text in (said, *texts_of(row)):
            place = min((found for word in words if (found := text.lower().find(word)) >= 0), default=-1)
            if place >= 0:
                start = max(0, place - _BEFORE)
                return ("…" if start else "") + " ".join(text[start : start + _AROUND].split())
    return " ".join(said[:_AROUND].split())


def _said(row: Mapping[str, Any]) -> str:
    spoken = [m for m in row.get("messages") or () if m.get("role") != "system" and isinstance(m.get("content"), str)]
    if spoken:
        return str(spoken[0]["content"])
    return str(row.get("text") or row.get("reason") or "")
