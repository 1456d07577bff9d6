"""Near-duplicates by wording: the exact Jaccard similarity of three-word shingles, found by prefix filtering.

Two sets with similarity t or more share an element among the first ``|x| - ceil(t|x|) + 1`` of each in any common
order (Chaudhuri et al. 2006, "A Primitive Operator for Similarity Joins"), so only those are indexed, and every
candidate is verified. Nothing is missed and nothing is flagged that does not overlap so much.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

from synth.diversity.words import words_of

_SHINGLE = 3


@dataclass(frozen=True, slots=True)
class Overlap:
    """The nearest text found: its name, and the Jaccard similarity."""

    name: str
    similarity: float


class LexicalIndex:
    """Texts seen so far. ``threshold`` is the Jaccard similarity above which a text counts as a near-duplicate."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._names: list[str] = []
        self._shingles: list[array[int]] = []
        self._postings: dict[int, list[int]] = {}

    def nearest(self, text: str) -> Overlap | None:
        """The most similar text with more than the threshold, the earliest of equals; None if there is none."""
        shingles = _shingles(text)
        candidates = {other for shingle in self._prefix(shingles) for other in self._postings.get(shingle, ())}
        best: Overlap | None = None
        wanted = set(shingles)
        for other in sorted(candidates):
            shared = len(wanted.intersection(self._shingles[other]))
            similarity = shared / (len(shingles) + len(self._shingles[other]) - shared)
            if similarity > self._threshold and (best is None or similarity > best.similarity):
                best = Overlap(self._names[other], similarity)
        return best

    def add(self, name: str, text: str) -> None:
        """Remember a text; an empty one is never a duplicate."""
        shingles = _shingles(text)
        position = len(self._names)
        self._names.append(name)
        self._shingles.append(shingles)
        for shingle in self._prefix(shingles):
            self._postings.setdefault(shingle, []).append(position)

    def _prefix(self, shingles: array[int]) -> array[int]:
        return shingles[: len(shingles) - math.ceil(self._threshold * len(shingles)) + 1]


def overlap(one: str, other: str) -> float:
    """The Jaccard similarity of two texts' shingles, 0 where both are empty."""
    first, second = set(_shingles(one)), set(_shingles(other))
    return len(first & second) / len(first | second) if first or second else 0.0


def _shingles(text: str) -> array[int]:
    words = words_of(text)
    if len(words) <= _SHINGLE:
        return array("q", [hash(tuple(words))] if words else [])
    return array("q", sorted({hash(tuple(words[i : i + _SHINGLE])) for i in range(len(words) - _SHINGLE + 1)}))
