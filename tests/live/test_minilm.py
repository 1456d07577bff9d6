"""The packaged MiniLM, where the extra `diversity` is installed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from synth.diversity.embedders import open_embedder
from synth.diversity.embedding import Embeddings
from tests.unit.diversity.toy_embedder import MemoryCache

pytestmark = pytest.mark.live
pytest.importorskip("sentence_transformers", reason="needs the extra `diversity`")


@pytest.mark.filterwarnings("default")  # torch and transformers warn of their own futures
async def test_meanings_are_told_apart_whatever_the_script() -> None:
    embeddings = Embeddings(open_embedder("minilm", Path()), MemoryCache())
    texts = [
        "Where is my parcel?",
        "I am still waiting for my package.",
        "How do I cook rice?",
        "أين طردي؟",
        "x" * 100_000,
    ]
    vectors = np.stack(await asyncio.wait_for(embeddings.vectors(texts), 100))
    similar = vectors @ vectors.T
    assert vectors.shape == (5, 384)
    assert similar[0, 1] > similar[0, 2] + 0.2
    assert np.allclose(np.diag(similar), 1, atol=1e-5)
    await embeddings.aclose()
