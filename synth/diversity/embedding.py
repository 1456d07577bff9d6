"""Texts as vectors: what an embedder is, and how a run asks one: in batches, off the event loop, each text once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from synth.errors import FatalModelError, SynthError
from synth.fingerprint import fingerprint
from synth.recipe.diversity import EmbedderSpec

if TYPE_CHECKING:
    from synth.diversity.vectors import Vectors

_BATCH = 512
MOST_CHARACTERS = 8000
"""Of a text that are looked at: models for sentences read less than that."""


class Embedder(Protocol):
    """Turns texts into vectors. ``identity`` names the model: vectors of equal identity may be compared."""

    @property
    def identity(self) -> str: ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, d). Raises ``RunError`` where it cannot."""
        ...

    async def aclose(self) -> None: ...


class VectorCache(Protocol):
    """Where vectors are kept. The run store implements it."""

    def find_vector(self, key: str) -> bytes | None: ...

    def record_vector(self, key: str, vector: bytes) -> None: ...


class Embeddings:
    """An embedder behind a cache; whoever asks while a batch is at work gets into the next."""

    def __init__(self, embedder: Embedder, cache: VectorCache) -> None:
        self._embedder = embedder
        self._cache = cache
        self._waiting: dict[str, asyncio.Future[Vectors]] = {}
        self._worker: asyncio.Task[None] | None = None
        self._dimension: int | None = None

    async def vector(self, text: str) -> Vectors:
        """The unit vector of ``text``, shape (d,). Raises ``RunError``."""
        kept = self.known(text)
        if kept is not None:
            return kept
        text = text[:MOST_CHARACTERS]
        future = self._waiting.get(text)
        if future is None:
            future = self._waiting[text] = asyncio.get_running_loop().create_future()
            if self._worker is None or self._worker.done():
                self._worker = asyncio.create_task(self._work())
        return await asyncio.shield(future)

    def known(self, text: str) -> Vectors | None:
        """The unit vector of ``text`` if the cache has it. Raises ``FatalModelError`` where it has not their length."""
        import numpy as np

        kept = self._cache.find_vector(self._key(text))
        if kept is None:
            return None
        vector = np.frombuffer(kept, dtype=np.float32)
        self._check_dimension(len(vector))
        return vector

    async def vectors(self, texts: Sequence[str]) -> list[Vectors]:
        """The unit vectors of ``texts``, in order."""
        return list(await asyncio.gather(*(self.vector(text) for text in texts)))

    async def aclose(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        await self._embedder.aclose()

    async def _work(self) -> None:
        await asyncio.sleep(0)  # let all who ask in this turn of the loop come in
        asked: dict[str, asyncio.Future[Vectors]] = {}
        while self._waiting:
            texts = list(self._waiting)[:_BATCH]
            asked = {text: self._waiting.pop(text) for text in texts}
            try:
                vectors = self._checked(await self._embedder.embed(texts), len(texts))
                for text, vector in zip(asked, vectors, strict=True):
                    self._cache.record_vector(self._key(text), vector.tobytes())
            except SynthError as error:
                _fail(asked.values(), error)
                continue
            except Exception as defect:  # noqa: BLE001 - whatever a library raises: those who asked must not wait for ever
                message = f"the embedder {self._embedder.identity} failed: {type(defect).__name__}: {defect}"
                _fail(asked.values(), FatalModelError(message, hint="choose another diversity.embedder, or 'off'"))
                continue
            for future, vector in zip(asked.values(), vectors, strict=True):
                if not future.done():
                    future.set_result(vector)

    def _checked(self, vectors: Vectors, count: int) -> Vectors:
        """``vectors`` at unit length, or ``FatalModelError`` where they are none."""
        import numpy as np

        name = self._embedder.identity
        if vectors.ndim != 2 or len(vectors) != count:
            raise FatalModelError(f"the embedder {name} gave {len(vectors)} vectors for {count} texts")
        self._check_dimension(vectors.shape[1])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(vectors).all() or not lengths.all():
            raise FatalModelError(
                f"the embedder {name} gave a vector of zeros, or with numbers that are none",
                hint="choose another diversity.embedder",
            )
        unit: Vectors = (vectors / lengths).astype(np.float32)
        return unit

    def _check_dimension(self, dimension: int) -> None:
        if self._dimension not in (None, dimension):
            raise FatalModelError(
                f"the embedder {self._embedder.identity} gave vectors of {self._dimension} and of {dimension} numbers",
                hint="what it is must not change during a run: begin another run folder",
            )
        self._dimension = dimension

    def _key(self, text: str) -> str:
        return vector_key(self._embedder.identity, text)


def _fail(futures: Iterable[asyncio.Future[Vectors]], error: SynthError) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
            future.exception()  # whoever asked may be gone


def embedder_identity(choice: str | EmbedderSpec) -> str:
    """What names the embedder's vectors, whether it is installed or not."""
    return f"openai:{choice.model}" if isinstance(choice, EmbedderSpec) else f"sentence-transformers:{choice}"


def vector_key(identity: str, text: str) -> str:
    """The name under which the vector of ``text`` is kept, for an embedder's ``identity``."""
    return fingerprint([identity, text[:MOST_CHARACTERS]])
