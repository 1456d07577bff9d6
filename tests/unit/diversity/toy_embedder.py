"""An embedder whose vectors can be foreseen, and a cache in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import numpy as np

from synth.diversity.vectors import Vectors


class ToyEmbedder:
    """A text's words are its coordinates, after ``dimension`` slots; records the batches it was asked for."""

    identity = "toy"

    def __init__(self, dimension: int = 64, jitter: random.Random | None = None) -> None:
        self.dimension = dimension
        self.batches: list[list[str]] = []
        self.closed = False
        self._jitter = jitter

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        await asyncio.sleep(self._jitter.random() / 500 if self._jitter else 0)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                vectors[row, sum(word.encode()) % self.dimension] += 1
        return vectors

    async def aclose(self) -> None:
        self.closed = True


class MemoryCache:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def find_vector(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def record_vector(self, key: str, vector: bytes) -> None:
        self.kept[key] = vector
