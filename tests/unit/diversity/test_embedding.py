import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from synth.diversity.embedding import MOST_CHARACTERS, Embeddings
from synth.diversity.vectors import Vectors
from synth.errors import FatalModelError, RunError
from tests.unit.diversity.toy_embedder import MemoryCache, ToyEmbedder


async def test_texts_asked_for_together_are_embedded_together_and_once() -> None:
    toy, cache = ToyEmbedder(), MemoryCache()
    embeddings = Embeddings(toy, cache)
    vectors = await asyncio.gather(*(embeddings.vector(text) for text in ["a b", "c", "a b", "d"]))
    assert toy.batches == [["a b", "c", "d"]]
    assert (vectors[0] == vectors[2]).all()
    again = await embeddings.vector("c")
    assert toy.batches == [["a b", "c", "d"]]
    assert (again == vectors[1]).all()
    await embeddings.aclose()
    assert toy.closed


async def test_who_asks_while_a_batch_is_at_work_gets_into_the_next() -> None:
    toy = ToyEmbedder()
    embeddings = Embeddings(toy, MemoryCache())
    first = asyncio.create_task(embeddings.vector("one"))
    while not toy.batches:  # noqa: ASYNC110 - the embedder under test has no event to wait for
        await asyncio.sleep(0)
    await asyncio.gather(first, *(embeddings.vector(text) for text in ("two", "three")))
    assert toy.batches == [["one"], ["two", "three"]]


async def test_a_cancelled_asker_leaves_the_others_their_answer() -> None:
    embeddings = Embeddings(ToyEmbedder(), MemoryCache())
    one, other = (asyncio.create_task(embeddings.vector("same")) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    assert (await other).shape == (64,)


async def test_vectors_have_unit_length_and_long_texts_are_cut() -> None:
    embeddings = Embeddings(toy := ToyEmbedder(), MemoryCache())
    for text in ("مرحبا بالعالم", "слово за слово", "x " * 50_000):
        assert abs(float(np.linalg.norm(await embeddings.vector(text))) - 1) < 1e-6
    assert max(len(text) for batch in toy.batches for text in batch) == MOST_CHARACTERS


class Broken(ToyEmbedder):
    def __init__(self, answers: list[Vectors | Exception]) -> None:
        super().__init__()
        self._answers = answers

    async def embed(self, texts: Sequence[str]) -> Vectors:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.full((1, 3), np.nan, dtype=np.float32), "numbers that are none"),
        (np.zeros((1, 3), dtype=np.float32), "zeros"),
        (np.ones((2, 3), dtype=np.float32), "2 vectors for 1 texts"),
        (RunError("it is gone"), "it is gone"),
        (ImportError("no torch here"), "the embedder toy failed: ImportError: no torch here"),
    ],
)
async def test_vectors_that_are_none(answer: Vectors | Exception, message: str) -> None:
    embeddings = Embeddings(Broken([answer, np.ones((1, 3), dtype=np.float32)]), MemoryCache())
    with pytest.raises(RunError, match=message):
        await embeddings.vector("a")
    assert (await embeddings.vector("b")).shape == (3,)


@pytest.mark.parametrize("resumed", [False, True])
async def test_another_dimension_is_noticed(resumed: bool) -> None:
    embedder = Broken([np.ones((1, 3), dtype=np.float32), np.ones((1, 4), dtype=np.float32)])
    embeddings = Embeddings(embedder, cache := MemoryCache())
    await embeddings.vector("a")
    if resumed:
        embeddings = Embeddings(embedder, cache)
        await embeddings.vector("a")
    with pytest.raises(FatalModelError, match="of 3 and of 4 numbers"):
        await embeddings.vector("b")


async def test_another_dimension_is_noticed_in_what_was_kept() -> None:
    await Embeddings(ToyEmbedder(3), cache := MemoryCache()).vector("a")
    embeddings = Embeddings(ToyEmbedder(4), cache)
    await embeddings.vector("b")
    with pytest.raises(FatalModelError, match="of 4 and of 3 numbers"):
        await embeddings.vector("a")
