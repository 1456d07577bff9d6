"""How varied a set of texts is, by their meanings: the Vendi score, and how near each one's nearest is."""

from __future__ import annotations

import numpy as np

from synth.diversity.vectors import Vectors
from synth.messages import Json

_BLOCK = 1024


def vendi_score(vectors: Vectors) -> float:
    """The Vendi score (Friedman and Dieng 2023) of unit vectors with the cosine as kernel: the effective number of
    different texts, from 1 (all the same) to n (all orthogonal).

    exp of the entropy of K/n's eigenvalues, which are those of XᵀX/n.
    """
    rows = vectors.astype(np.float64)
    values = np.linalg.eigvalsh(rows.T @ rows if rows.shape[0] > rows.shape[1] else rows @ rows.T) / len(rows)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def nearest_similarities(vectors: Vectors, others: Vectors | None = None) -> Vectors:
    """The cosine of each vector with its nearest among ``others``, or among the rest of ``vectors``; shape (n,)."""
    found = np.full(len(vectors), -1.0, dtype=np.float32)
    against = vectors if others is None else others
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        for first in range(0, len(against), _BLOCK):
            similar = block @ against[first : first + _BLOCK].T
            if others is None and first == start:
                np.fill_diagonal(similar, -1.0)
            found[start : start + _BLOCK] = np.maximum(found[start : start + _BLOCK], similar.max(axis=1))
    return found


def measure_meanings(vectors: Vectors, others: Vectors | None = None) -> Json:
    """All of this module's measures, rounded; ``others`` are the vectors of what the texts are held against."""
    measures: Json = {"vendi": round(vendi_score(vectors), 2)}
    if len(vectors) > 1:
        measures["nearest"] = _summary(nearest_similarities(vectors))
    if others is not None and len(others):
        measures["nearest_against"] = _summary(nearest_similarities(vectors, others))
    return measures


def _summary(similarities: Vectors) -> Json:
    return {"mean": round(float(similarities.mean()), 4), "worst": round(float(similarities.max()), 4)}
