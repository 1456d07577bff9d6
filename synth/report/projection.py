"""Texts as points in a plane: the two directions in which they differ most (PCA), of meanings or of words."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from synth.diversity.words import words_of

if TYPE_CHECKING:
    from synth.diversity.vectors import Vectors

_BUCKETS = 1024
_ROUNDS = 12
_EXTRA = 6
"""Directions that are followed beside the two: they converge the sooner."""


def word_vectors(texts: Sequence[str]) -> Vectors:
    """Unit vectors of the words' TF-IDF, hashed to ``_BUCKETS`` places; shape (n, 1024)."""
    import numpy as np

    counts = [Counter(zlib.crc32(word.encode()) % _BUCKETS for word in words_of(text)) for text in texts]
    matrix = np.zeros((len(texts), _BUCKETS), dtype=np.float32)
    for row, of_text in enumerate(counts):
        matrix[row, list(of_text)] = [1 + np.log(count) for count in of_text.values()]
    present = (matrix > 0).sum(axis=0)
    matrix *= np.log((1 + len(texts)) / (1 + present)) + 1
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: Vectors = (matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


def project(vectors: Vectors) -> list[tuple[float, float]]:
    """The first two principal components of vectors of shape (n, d), by subspace iteration from a fixed start.

    Signs are chosen so that the longest way from the middle is to the right and up: the same data, the same picture.
    """
    import numpy as np

    centred = vectors - vectors.mean(axis=0)
    wanted = min(2 + _EXTRA, *centred.shape)
    basis = np.random.default_rng(0).standard_normal((centred.shape[1], wanted), dtype=np.float32)
    for _ in range(_ROUNDS):
        basis, _ = np.linalg.qr(centred.T @ (centred @ basis))
    _, _, turned = np.linalg.svd(centred @ basis, full_matrices=False)
    points = centred @ (basis @ turned.T)[:, :2]
    points = np.pad(points, ((0, 0), (0, max(0, 2 - points.shape[1]))))
    for axis in range(2):
        if points[np.abs(points[:, axis]).argmax(), axis] < 0:
            points[:, axis] *= -1
    return [(float(x), float(y)) for x, y in points]
