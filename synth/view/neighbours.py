"""The examples that say nearly the same as one: by meaning where the run has embeddings, else by wording."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.diversity.embedding import embedder_identity, vector_key
from synth.diversity.lexical import overlap
from synth.reader import RunReader
from synth.recipe.diversity import DiversitySpec
from synth.rows import text_of
from synth.view.index import forgotten_in
from synth.view.query import IndexReader
from synth.view.words import words_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CANDIDATES = 40
_MOST_WORDS = 8
_BLOCK = 8192
_PIECE = 2000


@dataclass(frozen=True, slots=True)
class Near:
    """An example's unit, and how like it is: the cosine of meanings, or the share of three-word shingles."""

    unit: str
    similarity: float


class Neighbours:
    """Finds neighbours in one run. May be asked from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._units: list[str] = []
        self._rows: list[NDArray[np.float16]] = []
        self._next: dict[str, int] = {}
        self._forgotten = 0

    def find(self, reader: RunReader, index: IndexReader, unit: str, most: int) -> tuple[str, list[Near]]:
        """``meaning`` or ``wording``, and the nearest, the most alike first."""
        attempt = reader.attempt(unit)
        if attempt is None:
            return "wording", []
        text = text_of(attempt.row)
        spec = reader.lock.recipe.get("diversity")
        if isinstance(spec, dict) and spec.get("embedder") != "off" and reader.has_vectors:
            identity = embedder_identity(DiversitySpec(**spec).embedder)
            near = self._by_meaning(reader, identity, unit, most)
            if near is not None:
                return "meaning", near
        return "wording", self._by_wording(reader, index, unit, text, most)

    @staticmethod
    def _by_wording(reader: RunReader, index: IndexReader, unit: str, text: str, most: int) -> list[Near]:
        rare = index.rarest(sorted(words_in(text)), _MOST_WORDS)
        found = []
        for other in index.alike(rare, _CANDIDATES):
            attempt = reader.attempt(other) if other != unit else None
            if attempt is not None and (similar := overlap(text, text_of(attempt.row))):
                found.append(Near(other, round(similar, 4)))
        return sorted(found, key=lambda near: (-near.similarity, near.unit))[:most]

    def _by_meaning(self, reader: RunReader, identity: str, unit: str, most: int) -> list[Near] | None:
        import numpy as np

        with self._lock:
            self._take_in(reader, identity)
            if unit not in self._units:
                return None
            own = self._units.index(unit)
            asked = self._rows[own].astype(np.float32)
            similar = np.concatenate(
                [
                    np.stack(self._rows[first : first + _BLOCK]).astype(np.float32) @ asked
                    for first in range(0, len(self._rows), _BLOCK)
                ]
            )
            similar[own] = -2
            best = np.argsort(-similar)[: min(most, len(self._units) - 1)]
            return [Near(self._units[row], round(float(similar[row]), 4)) for row in best]

    def _take_in(self, reader: RunReader, identity: str) -> None:
        """The vectors of what was decided since, in half precision: 100,000 of 384 numbers take 77 MB."""
        import numpy as np

        if (forgotten := forgotten_in(reader)) != self._forgotten:
            self._forgotten, self._units, self._rows, self._next = forgotten, [], [], {}
        for generator in reader.generators:
            while attempts := reader.placed(generator, self._next.get(generator, 0), _PIECE):
                self._next[generator] = attempts[-1].place + 1
                for attempt in attempts:
                    text = attempt.text or text_of(attempt.row)
                    vector = reader.find_vector(vector_key(identity, text)) if text else None
                    if vector is not None and not attempt.provisional:
                        self._units.append(attempt.unit)
                        self._rows.append(np.frombuffer(vector, dtype=np.float32).astype(np.float16))
