"""Shingles of many texts at once: every run of three words as one 64-bit hash, computed over all texts together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from synth.diversity.words import MARKS, UNSPACED, composed

Hashes = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

WORDS = 3
_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_SPACED, _UNSPACED, _MARK = 1, 2, 3
"""Kinds of characters that words are made of."""


def shingle(texts: Sequence[str]) -> tuple[Hashes, Offsets]:
    """The shingles of all texts in one array, and where each text's begin (one more entry than texts).

    Words are those of :mod:`synth.diversity.words`, in lower case. A text of one or two words has one shingle, all of
    it; a text without words none. A word's hash is a polynomial over its code points modulo 2⁶⁴, taken from prefix
    sums, then mixed.
    """
    texts = [composed(text) for text in texts]
    joined = "\n".join(texts).lower()
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = [len(text) if text.isascii() else len(text.lower()) for text in texts]
    ends = np.cumsum(np.asarray(lengths, dtype=np.int64) + 1) - 1

    starts, stops = _words(codes)
    powers, inverses = _powers(len(codes) + 1)
    prefix = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * powers[:-1], out=prefix[1:])
    words = mix((prefix[stops] - prefix[starts]) * inverses[starts])

    first = np.concatenate([[0], np.searchsorted(starts, ends)])
    counts = np.diff(first)
    return _runs_of_words(words, first, counts)


def mix(values: Hashes) -> Hashes:
    """Spread every bit over all bits (the finaliser of MurmurHash3)."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


def _words(codes: npt.NDArray[np.uint32]) -> tuple[Offsets, Offsets]:
    """Where each word begins, and where it has ended."""
    kinds = np.zeros(len(codes) + 2, dtype=np.int8)
    kinds[1:-1] = _kinds()[codes]
    marks = kinds == _MARK
    if marks.any():  # each is of the kind of what it stands on
        kinds = kinds[np.maximum.accumulate(np.where(marks, 0, np.arange(len(kinds))))]
    before, here = kinds[:-1], kinds[1:]
    begins = (here == _SPACED) & (before != _SPACED) | (here == _UNSPACED) & ~marks[1:]
    ends = (before != 0) & (begins | (here == 0))
    return np.flatnonzero(begins), np.flatnonzero(ends)


def _runs_of_words(words: Hashes, first: Offsets, counts: Offsets) -> tuple[Hashes, Offsets]:
    made = np.where(counts > WORDS, counts - WORDS + 1, np.minimum(counts, 1))
    offsets = np.concatenate([[0], np.cumsum(made)])
    # Position of each shingle's first word: its text's first word and its place within the text.
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], made)
    begin = np.repeat(first[:-1], made) + place
    last = np.repeat(first[1:], made)
    padded = np.concatenate([words, np.zeros(WORDS, dtype=np.uint64)])
    hashes = np.zeros(len(begin), dtype=np.uint64)
    for step in range(WORDS):
        word = np.where(begin + step < last, padded[begin + step], np.uint64(0))
        hashes = mix(hashes * np.uint64(31) + word)
    return hashes, offsets


@cache
def _kinds() -> npt.NDArray[np.int8]:
    """Of every code point its kind, 0 where no word has it."""
    table = np.zeros(0x110000, dtype=np.int8)
    everything = "".join(map(chr, range(0x40000)))  # no letter lies beyond
    for kind, characters in ((_SPACED, r"\w+"), (_UNSPACED, f"[{UNSPACED}]+"), (_MARK, f"[{MARKS}]+")):
        for found in re.finditer(characters, everything):
            table[found.start() : found.end()] = kind
    return table


_known: list[tuple[Hashes, Hashes]] = []


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Powers of the base and of its inverse; kept, and made longer as texts are."""
    if not _known or len(_known[-1][0]) < count:
        size = max(count, 1 << 20)
        with np.errstate(over="ignore"):
            made = []
            for base in (_BASE, _INVERSE):
                powers = np.full(size, base, dtype=np.uint64)
                powers[0] = 1
                made.append(np.cumprod(powers))
        _known[:] = [(made[0], made[1])]
    return _known[-1][0][:count], _known[-1][1][:count]
