"""The long tail: how real people also write. Typos are made here; dialect and the like are asked of the model."""

from __future__ import annotations

import random
import re
from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

from synth.example import Draft, WorkUnit
from synth.fingerprint import derive_rng
from synth.recipe.axes import LongTailSpec

# Not part of an address, a name in code or a number: those are copied, not typed.
_WORD = re.compile(r"(?<![\w@./\\-])[^\W\d_]{4,}(?![\w@/\\-]|\.\w)")
_WORDS_PER_TYPO = 12
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in _ROWS
    for place, letter in enumerate(row)
}


def draw_long_tail(spec: LongTailSpec, seed: int) -> tuple[str, ...]:
    """Which of the long tail's features an example gets, each by its own chance."""
    shares = spec.model_dump()
    if not any(shares.values()):
        return ()
    rng = derive_rng(seed)
    return tuple(name for name, share in shares.items() if rng.random() < share)


def with_typos(unit: WorkUnit, draft: Draft) -> Draft:
    """``draft`` with typos in what its user says, where the unit is one of those that have them.

    A word that a tool was called with stays: the assistant has understood it. What else the draft holds of these lines
    (the prompt of preference data, a column such as `text`) has the same typos.
    """
    if "typos" not in unit.long_tail:
        return draft
    rng = derive_rng(unit.rng_seed, "typos")
    calls = " ".join(call.arguments for message in draft.messages for call in message.tool_calls)
    used = frozenset(re.findall(r"\w+", calls.casefold()))
    typed: dict[str, str] = {}
    for message in draft.messages:
        if message.role == "user" and message.content and message.content not in typed:
            typed[message.content] = add_typos(message.content, rng, used)
    messages = tuple(
        replace(message, content=typed[message.content]) if message.role == "user" and message.content else message
        for message in draft.messages
    )
    extra = {
        name: typed.get(value, value) if isinstance(value, str) else _typed(value, typed)
        for name, value in draft.extra.items()
    }
    return replace(draft, messages=messages, extra=extra)


def _typed(value: Any, typed: Mapping[str, str]) -> Any:
    """``value`` with the user's lines in it as they were ``typed``."""
    if isinstance(value, dict):
        if value.get("role") == "user" and value.get("content") in typed:
            return {**value, "content": typed[value["content"]]}
        return {name: _typed(inner, typed) for name, inner in value.items()}
    return [_typed(inner, typed) for inner in value] if isinstance(value, list) else value


def add_typos(text: str, rng: random.Random, used: Container[str] = ()) -> str:
    """Slips of the keyboard in about one word of twelve, at least one; numbers, short words, first letters and words
    that are ``used`` stay."""
    words = [word for word in _WORD.finditer(text) if word.group().casefold() not in used]
    if not words:
        return text
    chosen = sorted(rng.sample(words, max(1, len(words) // _WORDS_PER_TYPO)), key=lambda word: -word.start())
    for word in chosen:
        text = text[: word.start()] + _slip(word.group(), rng) + text[word.end() :]
    return text


def _slip(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    near = _NEIGHBOURS.get(word[place].lower(), "")
    choices = [
        word[:place] + word[place + 1 :],
        word[: place + 1] + word[place:],
        swapped,
        word[:place] + rng.choice(near) + word[place + 1 :] if near else swapped,
    ]
    return next((slip for slip in rng.sample(choices, len(choices)) if slip != word), word)
