"""MinHash signatures and their bands: texts that share a band are near-duplicates (Broder 1997)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.curation.shingles import Hashes, mix, shingle

PERMUTATIONS = 128
_SEED = 2411_04257


@dataclass(frozen=True, slots=True)
class Banding:
    """``bands`` × ``rows`` hash functions: a pair of similarity s shares a band with probability 1 − (1 − sʳ)ᵇ."""

    bands: int
    rows: int

    @classmethod
    def choose(cls, threshold: float, permutations: int = PERMUTATIONS) -> Banding:
        """The one with the least 0.5·FP + 0.5·FN for a Jaccard threshold T (LSHBloom, arXiv 2411.04257).

        FP = ∫₀ᵀ 1 − (1 − tʳ)ᵇ dt and FN = ∫ᵀ¹ (1 − tʳ)ᵇ dt.
        """
        candidates = [
            cls(bands, rows) for rows in range(1, permutations + 1) for bands in range(1, permutations // rows + 1)
        ]
        return min(candidates, key=lambda banding: sum(banding.errors(threshold)))

    def errors(self, threshold: float) -> tuple[float, float]:
        """FP and FN, by the midpoint rule."""
        steps = 1000
        below = (np.arange(steps) + 0.5) / steps * threshold
        above = threshold + (np.arange(steps) + 0.5) / steps * (1 - threshold)
        miss = (1 - above**self.rows) ** self.bands
        hit = 1 - (1 - below**self.rows) ** self.bands
        return float(hit.mean() * threshold), float(miss.mean() * (1 - threshold))


class Signer:
    """Makes the bands of texts."""

    def __init__(self, banding: Banding) -> None:
        self.banding = banding
        random = np.random.Generator(np.random.PCG64(_SEED))
        size = banding.bands * banding.rows
        # A product with an odd number permutes 32-bit values; the shingles' hashes are mixed, so it needs no shift.
        self._factors = random.integers(0, 2**32, size, dtype=np.uint32) | np.uint32(1)

    def bands(self, texts: Sequence[str]) -> tuple[Hashes, npt.NDArray[np.bool_]]:
        """A 64-bit hash of every band of every text (texts × bands), and which texts have any words.

        All the values of a band go into its hash, one after the other: a sum of them would flag unrelated texts.
        """
        hashes, offsets = shingle(texts)
        filled = np.diff(offsets) > 0
        result = np.zeros((len(texts), self.banding.bands), dtype=np.uint64)
        if not filled.any():
            return result, filled
        starts = offsets[:-1][filled]
        values = (hashes >> np.uint64(32)).astype(np.uint32)
        product = np.empty_like(values)
        number = 0
        for band in range(self.banding.bands):
            value = np.full(len(starts), band + 1, dtype=np.uint64)
            for _ in range(self.banding.rows):
                np.multiply(values, self._factors[number], out=product)
                value = mix(value * np.uint64(31) + np.minimum.reduceat(product, starts))
                number += 1
            result[filled, band] = value
        return result, filled
