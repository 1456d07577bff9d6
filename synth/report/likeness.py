"""How near each example is to what was there before it, as the novelty filter saw it, and how that is spread."""

from __future__ import annotations

from dataclasses import dataclass

from synth.diversity.lexical import LexicalIndex
from synth.report.facts import Facts, Sampled, stack

_FEWEST = 4
_LEAST_KNOWN = 0.5
"""Of the texts that must have an embedding for meanings to be compared."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Similarities, 0 to 1; ``meanings``: cosines of embeddings, not the overlap of words."""

    accepted: list[float]
    rejected: list[float]
    meanings: bool


def nearest_before(facts: Facts) -> Likeness | None:
    """By generator, in plan order, within the sample; None where there is too little to compare."""
    compared = [one for one in facts.sample if one.gate in {None, "novelty"}]
    if len(compared) < _FEWEST:
        return None
    meanings = sum(one.text in facts.vectors for one in compared) >= _LEAST_KNOWN * len(compared)
    found = Likeness([], [], meanings)
    for generator in facts.tally:
        own = [one for one in compared if one.generator == generator]
        similar = _by_meaning(facts, own) if meanings else _by_words(own)
        for one, value in similar:
            (found.accepted if one.gate is None else found.rejected).append(value)
    return found


def _by_words(attempts: list[Sampled]) -> list[tuple[Sampled, float]]:
    index, found = LexicalIndex(0.0), []
    for place, one in enumerate(attempts):
        nearest = index.nearest(one.text)
        if place:
            found.append((one, nearest.similarity if nearest is not None else 0.0))
        if one.gate is None:
            index.add(one.unit, one.text)
    return found


def _by_meaning(facts: Facts, attempts: list[Sampled]) -> list[tuple[Sampled, float]]:
    import numpy as np

    known = [one for one in attempts if one.text in facts.vectors]
    if not known:
        return []
    vectors = stack([facts.vectors[one.text] for one in known])
    similar = np.tril(vectors @ vectors.T, -1)
    similar[:, [one.gate is not None for one in known]] = -1.0
    similar[np.triu_indices(len(known))] = -1.0
    nearest = similar.max(axis=1)
    return [(one, float(max(value, 0.0))) for one, value in zip(known, nearest, strict=True) if value > -1.0]
