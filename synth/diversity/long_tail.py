"""The long tail: how real people also write. Typos are made here; dialect and the like are asked of the model."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from synth.example import Draft, WorkUnit
from synth.fingerprint import derive_rng
from synth.recipe.axes import LongTailSpec

_WORD = re.compile(r"[^\W\d_]{4,}")
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
    """``draft`` with typos in what its user says, where the unit is one of those that have them."""
    if "typos" not in unit.long_tail:
        return draft
    rng = derive_rng(unit.rng_seed, "typos")
    messages = (
        replace(message, content=add_typos(message.content, rng))
        if message.role == "user" and message.content
        else message
        for message in draft.messages
    )
    return replace(draft, messages=tuple(messages))


def add_typos(text: str, rng: random.Random) -> str:
    """Slips of the keyboard in about one word of twelve, at least one; numbers, short words and first letters stay."""
    words = list(_WORD.finditer(text))
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
