"""The novelty filter of one generator: an example must differ from the seeds and from all it accepted before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synth.diversity.lexical import LexicalIndex
from synth.example import Seed, Verdict, WorkUnit
from synth.recipe.schema import DiversitySpec

GATE = "novelty"


class Novelty:
    """Judges texts in plan order. ``accepted`` are the names and texts that an earlier invocation accepted."""

    def __init__(self, spec: DiversitySpec, seeds: Sequence[Seed], accepted: Iterable[tuple[str, str]]) -> None:
        self._wordings = LexicalIndex(spec.max_overlap)
        for seed in seeds:
            for value in seed.fields.values():
                if isinstance(value, str):
                    self._wordings.add(f"seed {seed.id}", value)
        for name, text in accepted:
            self._wordings.add(name, text)

    async def prepare(self, text: str) -> None:
        """Get ready, in any order, what judging ``text`` will need."""

    async def judge(self, drafts: Sequence[tuple[WorkUnit, str] | None]) -> list[Verdict | None]:
        """Whether each text is new, in plan order; what is new is remembered at once."""
        return [None if draft is None else self._judge_wording(*draft) for draft in drafts]

    def _judge_wording(self, unit: WorkUnit, text: str) -> Verdict:
        near = self._wordings.nearest(text)
        if near is not None:
            reason = f"{near.similarity:.2f} of its three-word shingles are those of {near.name}"
            return Verdict(GATE, False, reason, round(near.similarity, 4), (near.name,))
        self._wordings.add(unit.id, text)
        return Verdict(GATE, True)

    def texts(self, names: Sequence[str]) -> tuple[str, ...]:
        """The texts of those names."""
        return ()
