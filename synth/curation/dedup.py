"""Which texts of a stream are near-duplicates of one that was kept before; the first seen stays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from synth.curation.minhash import Signer
from synth.curation.shingles import Hashes
from synth.diversity.lexical import LexicalIndex

BATCH = 512
"""Texts looked at together: their shingles fit in a core's cache."""


class Deduplicator(Protocol):
    """Remembers the texts that were kept, in the order in which they come."""

    def duplicates(self, texts: Sequence[str]) -> list[bool]:
        """For each of a batch whether it is a near-duplicate of one kept before it. A text without words never is."""
        ...


class BandStore(Protocol):
    """Remembers hashes of bands."""

    def contains(self, bands: Hashes) -> npt.NDArray[np.bool_]:
        """For hashes (texts × bands) whether each was added before."""
        ...

    def add(self, bands: Hashes) -> None: ...


class Banded:
    """MinHash LSH: a text that shares a band with one kept before is a duplicate.

    With a ``BandTable`` nothing else is; with a ``BloomIndex`` (LSHBloom) few others are.
    """

    def __init__(self, signer: Signer, store: BandStore) -> None:
        self._signer = signer
        self._store = store

    def duplicates(self, texts: Sequence[str]) -> list[bool]:
        return self.decide(*self._signer.bands(texts))

    def decide(self, bands: Hashes, filled: npt.NDArray[np.bool_]) -> list[bool]:
        """As ``duplicates``, for a batch whose bands are known; ``filled`` are the texts with words."""
        known = filled & self._store.contains(bands).any(axis=1)
        duplicate = known | _repeats_within(bands, filled & ~known)
        self._store.add(bands[filled & ~duplicate])
        return [bool(value) for value in duplicate]


def _repeats_within(bands: Hashes, open_: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Of the open texts of a batch, those that share a band with an earlier one that stays; decided in their order."""
    repeats = np.zeros(len(bands), dtype=np.bool_)
    rows = np.flatnonzero(open_)
    values = np.sort(bands[rows], axis=None)
    shared = np.unique(values[1:][values[1:] == values[:-1]])
    if not len(shared):
        return repeats
    place = np.minimum(np.searchsorted(shared, bands[rows]), len(shared) - 1)
    candidates = rows[(shared[place] == bands[rows]).any(axis=1)]
    seen: set[int] = set()
    for row in candidates:
        own = bands[row].tolist()
        if seen.isdisjoint(own):
            seen.update(own)
        else:
            repeats[row] = True
    return repeats


class Exact:
    """The exact Jaccard similarity of shingles, ``threshold`` or more, found by prefix filtering."""

    def __init__(self, threshold: float) -> None:
        self._index = LexicalIndex(math.nextafter(threshold, 0))

    def duplicates(self, texts: Sequence[str]) -> list[bool]:
        verdicts = []
        for text in texts:
            verdicts.append(self._index.nearest(text) is not None)
            if not verdicts[-1]:
                self._index.add("", text)
        return verdicts
