"""What a reader searches for, in the terms of SQLite's FTS5: words are prefixes, and all of them must be there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_QUOTED = re.compile(r'"([^"]*)"|(\S+)')
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")
_BEFORE, _AROUND = 60, 220
MOST_INDEXED = 20_000
"""Characters of one text."""


def spaced(text: str) -> str:
    """``text`` with each character of a script without spaces as a word of its own."""
    return _UNSPACED.sub(r" \1 ", text)


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
    return [word.lower() for word in _WORD.findall(asked)]


def texts_of(row: Mapping[str, Any]) -> Iterator[str]:
    """Everything in an attempt that someone may search for."""
    yield str(row.get("id", ""))
    for name in ("reason", "text", "seed_id", "goal"):
        if isinstance(row.get(name), str):
            yield row[name]
    for message in row.get("messages") or ():
        for name in ("content", "reasoning_content"):
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
