"""Near-duplicates by meaning: the cosine of embeddings with what was accepted, the seeds and the teacher's echo."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth.diversity.embedding import Embeddings
from synth.diversity.vectors import Neighbour, VectorIndex, Vectors, cosine

DEFAULT_SIMILARITY = 0.9
_LEAST, _MOST = 0.7, 0.97
_FEWEST_TO_CALIBRATE = 8
_SHOWN = 3
_MARGIN = 1e-3
_INLINE = 2_000_000
"""Numbers to be compared that are not worth a thread."""


@dataclass(frozen=True, slots=True)
class Given:
    """A text that was there before: a seed's field, or the teacher's echo of a seed. ``seed`` is that seed's id."""

    name: str
    text: str
    seed: str | None


@dataclass(frozen=True, slots=True)
class Close:
    """The nearest text: its name and the cosine."""

    name: str
    similarity: float


class Meanings:
    """What texts are compared with. ``most_similarity`` is None to calibrate it on the seeds."""

    def __init__(self, embeddings: Embeddings, most_similarity: float | None) -> None:
        self._embeddings = embeddings
        self.most_similarity = DEFAULT_SIMILARITY if most_similarity is None else most_similarity
        self._calibrates = most_similarity is None
        self._names: list[str] = []
        self._index: VectorIndex | None = None
        self._own: dict[str, list[int]] = {}
        self._prepared: dict[str, Vectors] = {}

    async def start(self, given: Sequence[Given], accepted: Sequence[tuple[str, str]]) -> None:
        """Take in what is there before the first decision; ``accepted`` are names and texts in plan order."""
        given = [one for one in given if one.text.strip()]
        vectors = await self._embeddings.vectors([one.text for one in given])
        for one, vector in zip(given, vectors, strict=True):
            row = self._add(one.name, vector)
            if one.seed is not None:
                self._own.setdefault(one.seed, []).append(row)
        seeds = [number for number, one in enumerate(given) if one.name.startswith("seed ")]
        if self._calibrates and seeds:
            self.most_similarity = calibrate(
                np.stack([vectors[n] for n in seeds]), [given[n].seed or "" for n in seeds]
            )
        kept = [(name, text) for name, text in accepted if text.strip()]
        for (name, _), vector in zip(kept, await self._embeddings.vectors([text for _, text in kept]), strict=True):
            self._add(name, vector)

    async def prepare(self, name: str, text: str) -> None:
        """Have the vector of ``text`` at hand, under ``name``, for :meth:`look_up`. A text of nothing has none."""
        if text.strip():
            self._prepared[name] = await self._embeddings.vector(text)

    async def look_up(self, names: Sequence[str | None], own_seeds: Sequence[str | None]) -> Block:
        """Compare prepared texts with all there is, in one product; ``own_seeds`` are seeds that each may be like."""
        known = [number for number, name in enumerate(names) if name in self._prepared]
        if not known:
            return Block(self, {}, np.empty((0, 0), dtype=np.float32), [], [])
        block = np.stack([self._prepared.pop(names[number] or "") for number in known])
        hidden = [self._own.get(own_seeds[number] or "", []) for number in known]
        found: list[Neighbour | None] = [None] * len(block)
        if self._index is not None:
            if len(self._index) * block.size > _INLINE:
                found = await asyncio.to_thread(self._index.nearest, block, self.most_similarity, hidden)
            else:
                found = self._index.nearest(block, self.most_similarity, hidden)
        places = {number: place for place, number in enumerate(known)}
        return Block(self, places, block, found, hidden)

    def closest_names(self, vector: Vectors, hidden: Sequence[int]) -> tuple[str, ...]:
        """Names of the nearest few texts but those in the rows ``hidden``, the nearest first."""
        if self._index is None:
            return ()
        rows = [row for row in self._index.closest(vector, _SHOWN + len(hidden)) if row not in hidden]
        return tuple(self._names[row] for row in rows[:_SHOWN])

    def name(self, row: int) -> str:
        return self._names[row]

    def _add(self, name: str, vector: Vectors) -> int:
        if self._index is None:
            self._index = VectorIndex(len(vector))
        self._names.append(name)
        return self._index.add(vector)

    def add(self, name: str, vector: Vectors) -> None:
        self._add(name, vector)


class Block:
    """Texts that are decided together, in order: each is compared with all before, those of its own block included."""

    def __init__(
        self,
        meanings: Meanings,
        places: dict[int, int],
        block: Vectors,
        found: list[Neighbour | None],
        hidden: list[list[int]],
    ) -> None:
        self._meanings = meanings
        self._places = places
        self._block = block
        self._found = found
        self._hidden = hidden
        self._within = block @ block.T if len(block) else block
        self._accepted: list[int] = []
        self._names: list[str] = []

    def too_close(self, number: int) -> Close | None:
        """What text ``number`` of the block is closest to, where that is too close."""
        place = self._places.get(number)
        if place is None:
            return None
        before = self._found[place]
        best = Close(self._meanings.name(before.row), before.similarity) if before is not None else None
        if self._accepted:
            similar = self._within[place, self._accepted]
            top = int(similar.argmax())
            least = self._meanings.most_similarity if best is None else best.similarity
            if similar[top] > least - _MARGIN:
                exact = cosine(self._block[place], self._block[self._accepted[top]])
                if exact > least:
                    best = Close(self._names[top], exact)
        return best

    def neighbours(self, number: int) -> tuple[str, ...]:
        """Names of the nearest few of text ``number``."""
        place = self._places[number]
        return self._meanings.closest_names(self._block[place], self._hidden[place])

    def accept(self, number: int, name: str) -> None:
        """Remember text ``number`` under ``name``."""
        place = self._places.get(number)
        if place is not None:
            self._accepted.append(place)
            self._names.append(name)
            self._meanings.add(name, self._block[place])


def calibrate(seeds: Vectors, owners: Sequence[str]) -> float:
    """As close as curated seeds are to each other: the 95th percentile of each one's nearest neighbour of another seed.

    Bounded to 0.7 – 0.97; with fewer than eight texts, 0.9.
    """
    if len(seeds) < _FEWEST_TO_CALIBRATE:
        return DEFAULT_SIMILARITY
    similar = seeds @ seeds.T
    names = np.array(owners)
    similar[names[:, None] == names[None, :]] = -1.0
    nearest = similar.max(axis=1)
    return round(float(np.clip(np.quantile(nearest, 0.95), _LEAST, _MOST)), 3)
