"""Nearest neighbours by cosine, exactly, in blocks: one matrix product compares many texts with all there are.

Most of each product is saved without missing anything: vectors are turned so that their first coordinates hold most
of them (the principal axes of the first few thousand), and ``x·y <= head(x)·head(y) + |tail(x)| |tail(y)|`` (Cauchy
and Schwarz) rules out nearly all pairs by a quarter of the coordinates. ``benchmarks/novelty.py`` compares this with
faiss's indexes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""Shape (n, d), rows of unit length."""

_CHUNK = 4096
_FIRST_ROWS = 1024
_TURN_AT = 4096
"""Rows after which turning pays, and from which the axes are taken."""
_FEW = 16
_MARGIN = 1e-3
"""Of single precision, in bounds and products."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The number of a row, and its cosine with the text asked about."""

    row: int
    similarity: float


class VectorIndex:
    """Rows in the order they were added."""

    def __init__(self, dimension: int) -> None:
        self._rows: Vectors = np.empty((_FIRST_ROWS, dimension), dtype=np.float32)
        self._heads: Vectors | None = None
        self._axes: Vectors | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, vector: Vectors) -> int:
        """Add one vector of shape (d,); its row number."""
        if self._count == len(self._rows):
            self._rows = _grown(self._rows)
            if self._heads is not None:
                self._heads = _grown(self._heads)
        self._rows[self._count] = vector
        if self._heads is not None:
            self._heads[self._count] = self._head(vector[None, :])[0]
        self._count += 1
        if self._count == _TURN_AT:
            self._turn()
        return self._count - 1

    def nearest(
        self, block: Vectors, above: float, hidden: Sequence[Sequence[int]] | None = None
    ) -> list[Neighbour | None]:
        """For each of ``block`` (shape (b, d)) the nearest row with a cosine of more than ``above``, the earliest of
        equals; None where there is none.

        ``hidden`` are, for each, rows that do not count. Only reads, so it may run in a thread while nothing is added.
        """
        best: list[Neighbour | None] = [None] * len(block)
        heads, asked = (self._rows, block) if self._heads is None else (self._heads, self._head(block))
        for start in range(0, self._count, _CHUNK):
            end = min(start + _CHUNK, self._count)
            bounds = asked @ heads[start:end].T
            hits = np.flatnonzero(bounds.max(axis=1) > above - _MARGIN)
            exact = block[hits] @ self._rows[start:end].T if len(hits) > _FEW else None
            for place, number in enumerate(map(int, hits)):
                if exact is not None:
                    similar = exact[place]
                    candidates = np.flatnonzero(similar > above - _MARGIN)
                    similar = similar[candidates]
                else:
                    candidates = np.flatnonzero(bounds[number] > above - _MARGIN)
                    similar = self._rows[start + candidates] @ block[number]
                candidates += start
                if hidden and hidden[number]:
                    seen = ~np.isin(candidates, hidden[number])
                    candidates, similar = candidates[seen], similar[seen]
                if len(candidates):
                    best[number] = self._better(best[number], block[number], candidates, similar, above)
        return best

    def closest(self, vector: Vectors, count: int) -> list[int]:
        """The numbers of the ``count`` nearest rows, the nearest first, the earliest of equals."""
        similar = np.round(self._rows[: self._count] @ vector, 5)
        return [int(row) for row in np.lexsort((np.arange(len(similar)), -similar))[:count]]

    def _better(
        self, best: Neighbour | None, vector: Vectors, candidates: NDArray[np.intp], similar: Vectors, above: float
    ) -> Neighbour | None:
        row = int(candidates[similar.argmax()])
        similarity = cosine(vector, self._rows[row])
        if similarity <= above or (best is not None and similarity <= best.similarity):
            return best
        return Neighbour(row, similarity)

    def _turn(self) -> None:
        rows = self._rows[: self._count]
        _, axes = np.linalg.eigh(rows.T @ rows)
        self._axes = np.ascontiguousarray(axes[:, ::-1][:, : max(1, rows.shape[1] // 4)], dtype=np.float32)
        self._heads = np.empty((len(self._rows), self._axes.shape[1] + 1), dtype=np.float32)
        self._heads[: self._count] = self._head(rows)

    def _head(self, vectors: Vectors) -> Vectors:
        """The first coordinates of turned unit vectors, and the length of the rest as one more."""
        assert self._axes is not None
        heads = vectors @ self._axes
        rest = np.sqrt(np.maximum(0.0, 1.0 - np.einsum("nd,nd->n", heads, heads)))
        bound: Vectors = np.concatenate([heads, rest[:, None]], axis=1, dtype=np.float32)
        return bound


def _grown(rows: Vectors) -> Vectors:
    grown = np.empty((2 * len(rows), rows.shape[1]), dtype=np.float32)
    grown[: len(rows)] = rows
    return grown


def cosine(one: Vectors, other: Vectors) -> float:
    """Of two unit vectors, in double precision and rounded: a matrix product's last digits depend on its shape."""
    return round(min(1.0, float(np.dot(one.astype(np.float64), other.astype(np.float64)))), 4)
