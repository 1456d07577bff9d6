"""How many decisions a second the novelty filter takes, and what it misses, beside the indexes that faiss has.

A job grows from nothing to N vectors, decided in plan order in blocks: what is closer than the threshold to anything
accepted is rejected. One vector in twenty is planted as a near copy of an earlier one (cosine above the threshold);
recall is the share of planted copies that are rejected. Embedding is not counted.

    python benchmarks/novelty.py [--count 100000] [--all]
"""

from __future__ import annotations

import argparse
import asyncio
import time

import numpy as np

from synth.diversity.meanings import Meanings
from synth.diversity.vectors import VectorIndex, Vectors

THRESHOLD, DIMENSION, PLANTED, BLOCK = 0.9, 384, 0.05, 256


def make(count: int) -> tuple[Vectors, np.ndarray]:
    """Unit vectors, and which of them are planted copies."""
    rng = np.random.default_rng(17)
    rows = rng.normal(size=(count, DIMENSION)).astype(np.float32)
    planted = np.zeros(count, dtype=bool)
    originals: list[int] = []
    for number in range(count):
        if originals and rng.random() < PLANTED:
            source = rows[originals[rng.integers(len(originals))]]
            noise = rng.normal(size=DIMENSION).astype(np.float32) * np.linalg.norm(source) / DIMENSION**0.5
            rows[number] = source + rng.uniform(0.02, 0.4) * noise  # cosine 0.93 to 1
            planted[number] = True
        else:
            originals.append(number)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), planted


async def ours(rows: Vectors) -> np.ndarray:
    """The filter itself, as a run calls it."""
    meanings = Meanings(embeddings=None, most_similarity=THRESHOLD)  # type: ignore[arg-type]
    rejected = np.zeros(len(rows), dtype=bool)
    for start in range(0, len(rows), BLOCK):
        names = [str(number) for number in range(start, min(start + BLOCK, len(rows)))]
        for name in names:
            meanings._prepared[name] = rows[int(name)]
        block = await meanings.look_up(names, [None] * len(names))
        for place, name in enumerate(names):
            if block.too_close(place) is not None:
                rejected[int(name)] = True
            else:
                block.accept(place, name)
    return rejected


def with_faiss(kind: str, rows: Vectors) -> np.ndarray:
    import faiss

    faiss.omp_set_num_threads(faiss.omp_get_max_threads())
    rejected = np.zeros(len(rows), dtype=bool)
    if kind.startswith("HNSW"):
        index = faiss.IndexHNSWFlat(DIMENSION, int(kind[4:]), faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efSearch = 64
    elif kind.startswith("IVF"):
        lists, probes = (int(part) for part in kind[3:].split("/"))
        quantizer = faiss.IndexFlatIP(DIMENSION)
        index = faiss.IndexIVFFlat(quantizer, DIMENSION, lists, faiss.METRIC_INNER_PRODUCT)
        index.train(rows[: 40 * lists])  # vectors that a real run would not have yet
        index.nprobe = probes
    else:
        index = faiss.IndexFlatIP(DIMENSION)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        similar = index.search(block, 1)[0][:, 0] if index.ntotal else np.full(len(block), -1)
        within, accepted = block @ block.T, []
        for place in range(len(block)):
            if similar[place] > THRESHOLD or any(within[place, accepted] > THRESHOLD):
                rejected[start + place] = True
            else:
                accepted.append(place)
        index.add(block[accepted])
    return rejected


def one_by_one(rows: Vectors) -> np.ndarray:
    index, rejected = VectorIndex(DIMENSION), np.zeros(len(rows), dtype=bool)
    for number, row in enumerate(rows):
        if index.nearest(row[None, :], THRESHOLD)[0] is not None:
            rejected[number] = True
        else:
            index.add(row)
    return rejected


def report(name: str, seconds: float, rejected: np.ndarray, planted: np.ndarray) -> None:
    recall, wrong = rejected[planted].mean(), int(rejected[~planted].sum())
    print(f"{name:24} {len(planted) / seconds:9,.0f}/s   recall {recall:.4f}   wrongly rejected {wrong}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--all", action="store_true", help="beside faiss's indexes, and one vector at a time")
    arguments = parser.parse_args()
    rows, planted = make(arguments.count)
    started = time.perf_counter()
    rejected = asyncio.run(ours(rows))
    report("synth, blocks of 256", time.perf_counter() - started, rejected, planted)
    if arguments.all:
        for kind in ("Flat", "HNSW16", "HNSW32", "IVF1024/16"):
            started = time.perf_counter()
            rejected = with_faiss(kind, rows)
            report(f"faiss {kind}", time.perf_counter() - started, rejected, planted)
        few = rows[:10_000]
        started = time.perf_counter()
        rejected = one_by_one(few)
        report("one by one, 10,000 only", time.perf_counter() - started, rejected, planted[:10_000])


if __name__ == "__main__":
    main()
