"""A set of 64-bit hashes, asked and filled by the thousand: open addressing in one array."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth.curation.shingles import Hashes


class BandTable:
    """Remembers every hash exactly, in 16 to 64 bytes each. Hashes of different bands differ: their band is in them."""

    def __init__(self, size: int = 1 << 16) -> None:
        self._slots: Hashes = np.zeros(size, dtype=np.uint64)
        self._filled = 0

    def contains(self, bands: Hashes) -> npt.NDArray[np.bool_]:
        """For hashes of any shape whether each has been added."""
        hashes = _no_zero(bands.ravel())
        mask = np.int64(len(self._slots) - 1)
        found = np.zeros(len(hashes), dtype=np.bool_)
        alive, position = np.arange(len(hashes)), hashes.astype(np.int64) & mask
        while len(alive):
            there = self._slots[position]
            found[alive[there == hashes[alive]]] = True
            going_on = (there != 0) & (there != hashes[alive])
            alive, position = alive[going_on], (position[going_on] + 1) & mask
        return found.reshape(bands.shape)

    def add(self, bands: Hashes) -> None:
        hashes = _no_zero(bands.ravel())
        size = len(self._slots)
        while size < 2 * (self._filled + len(hashes)):
            size *= 4
        if size > len(self._slots):
            kept = self._slots[self._slots != 0]
            self._slots = np.zeros(size, dtype=np.uint64)
            self._insert(kept)
        self._insert(hashes)
        self._filled += len(hashes)

    def _insert(self, hashes: Hashes) -> None:
        mask = np.int64(len(self._slots) - 1)
        position = hashes.astype(np.int64) & mask
        while len(hashes):
            free = self._slots[position] == 0
            self._slots[position[free]] = hashes[free]  # where two want one place, the last has it
            left = self._slots[position] != hashes
            hashes, position = hashes[left], (position[left] + 1) & mask


def _no_zero(hashes: Hashes) -> Hashes:
    """Zero marks a free place."""
    return np.where(hashes == 0, np.uint64(1), hashes)
