"""The novelty filter of one generator: an example must differ from the seeds and from all it accepted before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synth.diversity.lexical import LexicalIndex
from synth.example import Seed, Verdict
from synth.recipe.schema import DiversitySpec

_GATE = "novelty"


class Novelty:
    """Judges texts in plan order. ``accepted`` are the names and texts that an earlier invocation accepted."""

    def __init__(self, spec: DiversitySpec, seeds: Sequence[Seed], accepted: Iterable[tuple[str, str]]) -> None:
        self._index = LexicalIndex(spec.max_overlap)
        for seed in seeds:
            for value in seed.fields.values():
                if isinstance(value, str):
                    self._index.add(f"seed {seed.id}", value)
        for name, text in accepted:
            self._index.add(name, text)

    def judge(self, text: str) -> Verdict:
        """Whether ``text`` is new; the score is its overlap with the nearest when it is not."""
        near = self._index.nearest(text)
        if near is None:
            return Verdict(_GATE, True)
        reason = f"{near.similarity:.2f} of its three-word shingles are those of {near.name}"
        return Verdict(_GATE, False, reason, round(near.similarity, 4))

    def add(self, name: str, text: str) -> None:
        self._index.add(name, text)
