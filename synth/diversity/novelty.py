"""The novelty filter of one generator: an example must differ from the seeds and from all it accepted before.

Wordings are compared first, which is cheap; then, where the recipe asks for it, meanings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from synth.diversity.lexical import LexicalIndex
from synth.example import Seed, Verdict, WorkUnit
from synth.recipe.diversity import DiversitySpec

if TYPE_CHECKING:
    from synth.diversity.meanings import Block, Meanings

GATE = "novelty"
_FEWEST_TO_TELL_LABELS = 4


class Novelty:
    """Judges texts in plan order. ``accepted`` are the names and texts that an earlier invocation accepted.

    ``near_own_seed``: this kind says again what its seed says, so that being close to it in meaning is no fault.
    ``keep_texts``: somebody is to be told what a text was too close to.
    """

    def __init__(
        self,
        spec: DiversitySpec,
        seeds: Sequence[Seed],
        accepted: Iterable[tuple[str, str]],
        meanings: Meanings | None = None,
        *,
        near_own_seed: bool = False,
        keep_texts: bool = False,
    ) -> None:
        self._keep_texts = keep_texts
        self._wordings = LexicalIndex(spec.max_overlap)
        self._meanings = meanings
        self._near_own_seed = near_own_seed
        self._texts: dict[str, str] = {}
        self._seed_texts: list[tuple[str, str, str]] = []
        self.use_seeds(seeds)
        self._accepted = list(accepted)

    def use_seeds(self, seeds: Sequence[Seed]) -> None:
        """Further seeds to differ from; before :meth:`start`. Those of one curated seed count as that seed."""
        labels = _labels(seeds)
        texts = [
            (f"seed {seed.id}", value, seed.root)
            for seed in seeds
            for name, value in seed.fields.items()
            if isinstance(value, str) and name not in labels
        ]
        for name, text, _ in texts:
            self._remember(name, text)
        self._seed_texts += texts

    async def start(self, echoes: Sequence[tuple[str | None, str]] = ()) -> None:
        """Take in what was accepted before, and what needs a model; before the first decision. ``echoes`` are the
        teacher's, by seed id."""
        for name, text in self._accepted:
            self._remember(name, text)
        if self._meanings is None:
            return
        from synth.diversity.meanings import Given

        given = [Given(name, text, seed) for name, text, seed in self._seed_texts]
        for number, (seed, text) in enumerate(echoes):
            name = f"the teacher's echo {number}"
            self._texts[name] = text
            given.append(Given(name, text, seed))
        await self._meanings.start(given, self._accepted)
        self._accepted = []

    async def prepare(self, unit: WorkUnit, text: str) -> None:
        """Get ready, in any order, what judging ``text`` will need."""
        if self._meanings is not None:
            await self._meanings.prepare(unit.id, text)

    async def judge(self, drafts: Sequence[tuple[WorkUnit, str] | None]) -> list[Verdict | None]:
        """Whether each text is new, in plan order; what is new is remembered at once."""
        block = None
        if self._meanings is not None:
            names = [draft[0].id if draft is not None else None for draft in drafts]
            block = await self._meanings.look_up(names, [self._own_seed(draft) for draft in drafts])
        return [None if draft is None else self._judge(*draft, number, block) for number, draft in enumerate(drafts)]

    def _judge(self, unit: WorkUnit, text: str, number: int, block: Block | None) -> Verdict:
        worded = self._wordings.nearest(text)
        if worded is not None:
            reason = f"{worded.similarity:.2f} of its three-word shingles are those of {worded.name}"
            return Verdict(GATE, False, reason, round(worded.similarity, 4), (worded.name,))
        if block is not None and self._meanings is not None:
            close, most = block.too_close(number), self._meanings.most_similarity
            if close is not None:
                reason = f"its meaning is {close.similarity:.3f} like {close.name} (at most {most:g})"
                names = dict.fromkeys((close.name, *block.neighbours(number)))
                return Verdict(GATE, False, reason, close.similarity, tuple(names))
            block.accept(number, unit.id)
        self._remember(unit.id, text)
        return Verdict(GATE, True)

    def _own_seed(self, draft: tuple[WorkUnit, str] | None) -> str | None:
        seed = draft[0].seed if draft is not None and self._near_own_seed else None
        return seed.root if seed is not None else None

    def _remember(self, name: str, text: str) -> None:
        self._wordings.add(name, text)
        if self._keep_texts:
            self._texts.setdefault(name, text)

    def texts(self, names: Sequence[str]) -> tuple[str, ...]:
        """The texts of those names; a seed's is its first."""
        return tuple(self._texts[name] for name in names if name in self._texts)


def _labels(seeds: Sequence[Seed]) -> set[str]:
    """The fields that sort seeds rather than say something: their values come twice on average, or more often."""
    if len(seeds) < _FEWEST_TO_TELL_LABELS:
        return set()
    names = {name for seed in seeds for name in seed.fields}
    values = {name: [str(seed.fields[name]) for seed in seeds if name in seed.fields] for name in names}
    return {name for name, said in values.items() if 2 * len(set(said)) <= len(said)}
