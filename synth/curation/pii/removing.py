"""Personal data taken out of the texts of a row: a mark in its place, or a stand-in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from synth.curation.pii.fakes import NamePart
from synth.curation.pii.finder import PiiFinder
from synth.curation.pii.kinds import Found
from synth.recipe.cleaning import PiiKind

Write = Callable[[PiiKind, str, NamePart | None], str]
"""Takes the kind, the value, and which part of a name it is; gives what stands in its place."""

_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? $")


@dataclass(frozen=True, slots=True)
class Removed:
    """The texts without it, and what was found in each."""

    texts: list[str]
    found: list[list[Found]]

    @property
    def count(self) -> int:
        return sum(map(len, self.found))


def mark(kind: PiiKind, value: str, part: NamePart | None) -> str:
    """``<EMAIL>``."""
    return f"<{kind.upper()}>"


def stand_ins(seed: int) -> Write:
    """The same for the same value, and nobody's; ``seed`` decides which. Raises ``UsageError`` without Faker."""
    from synth.curation.pii.fakes import Fakes

    return Fakes(seed).fake


def remove(finder: PiiFinder, write: Write, texts: Sequence[str]) -> Removed:
    """Write something else in the place of all that is found."""
    found = finder.find(texts)
    parts: dict[str, NamePart] = {}
    for text, here in zip(texts, found, strict=True):
        for words in (text[one.start : one.end].split() for one in here if one.kind == "person"):
            if len(words) > 1:
                parts.setdefault(words[0], "first")
                parts.setdefault(words[-1], "last")
    return Removed([_rewritten(t, here, write, parts) for t, here in zip(texts, found, strict=True)], found)


def _rewritten(text: str, found: Sequence[Found], write: Write, parts: Mapping[str, NamePart]) -> str:
    made, done = [], 0
    for one in found:
        value = text[one.start : one.end]
        part: NamePart | None = "last" if _TITLE.search(text[max(0, one.start - 8) : one.start]) else parts.get(value)
        made += [text[done : one.start], write(one.kind, value, part)]
        done = one.end
    return "".join([*made, text[done:]])
