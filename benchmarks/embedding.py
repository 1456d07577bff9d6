"""Texts embedded a second: as a run asks, one text a unit, beside plain sentence-transformers in one call.

python benchmarks/embedding.py [--count 3000]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from pathlib import Path

from synth.diversity.embedders import SentenceTransformersEmbedder, open_embedder
from synth.diversity.embedding import Embeddings

WORDS = Path(__file__).read_text().split()


class NoCache:
    def find_vector(self, key: str) -> bytes | None:
        return None

    def record_vector(self, key: str, vector: bytes) -> None:
        pass


async def as_a_run(embedder: SentenceTransformersEmbedder, texts: list[str]) -> float:
    embeddings = Embeddings(embedder, NoCache())
    started = time.perf_counter()
    await asyncio.gather(*(embeddings.vector(text) for text in texts))
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000)
    count = parser.parse_args().count
    rng = random.Random(5)
    texts = [f"{n} " + " ".join(rng.choices(WORDS, k=rng.randint(5, 40))) for n in range(count)]
    embedder = open_embedder("minilm", Path())
    assert isinstance(embedder, SentenceTransformersEmbedder)
    embedder.encode(texts[:64])  # load and warm up
    for _ in range(2):
        started = time.perf_counter()
        embedder._model.encode(texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
        plain = time.perf_counter() - started
        ours = asyncio.run(as_a_run(embedder, texts))
        print(
            f"one call {count / plain:,.0f}/s   as a run {count / ours:,.0f}/s   ratio {plain / ours:.2f}", flush=True
        )


if __name__ == "__main__":
    main()
