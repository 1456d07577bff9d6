"""Near-duplicates: texts a second (CPU time of one core), recall and precision, beside datasketch and rensa.

    python benchmarks/dedup.py [texts] [words changed in a planted near-duplicate]

A fifth of the texts (50 to 70 words) is an earlier one with some words replaced. The others need `pip install
datasketch rensa`; without them only synth is measured.
"""

from __future__ import annotations

import random
import re
import resource
import sys
import time
from collections.abc import Callable

from synth.curation.band_table import BandTable
from synth.curation.bloom import BloomIndex, BloomSize
from synth.curation.dedup import BATCH, Banded, Deduplicator, Exact
from synth.curation.minhash import Banding, Signer
from synth.curation.shingles import shingle

THRESHOLD = 0.7


def corpus(count: int, changes: int) -> tuple[list[str], list[bool]]:
    rng = random.Random(3)
    words = [f"{chr(97 + number % 26)}word{number}" for number in range(30_000)]
    originals: list[list[str]] = []
    texts, planted = [], []
    for _ in range(count):
        planted.append(len(originals) > 100 and rng.random() < 0.2)
        if planted[-1]:
            chosen = list(rng.choice(originals))
            for place in rng.sample(range(len(chosen)), changes):
                chosen[place] = rng.choice(words)
        else:
            chosen = rng.choices(words, k=rng.randint(50, 70))
            originals.append(chosen)
        texts.append(" ".join(chosen))
    return texts, planted


def in_batches(deduplicator: Deduplicator) -> Callable[[list[str]], list[bool]]:
    def run(texts: list[str]) -> list[bool]:
        found: list[bool] = []
        for start in range(0, len(texts), BATCH):
            found += deduplicator.duplicates(texts[start : start + BATCH])
        return found

    return run


def shingles(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[i : i + 3]) for i in range(len(words) - 2)]


def with_rensa(texts: list[str]) -> list[bool]:
    import rensa

    banding, found = Banding.choose(THRESHOLD, 128), []
    lsh = rensa.RMinHashLSH(THRESHOLD, banding.bands * banding.rows, banding.bands)
    for number, text in enumerate(texts):
        signature = rensa.RMinHash(banding.bands * banding.rows, 42)
        signature.update(shingles(text))
        found.append(bool(lsh.query(signature)))
        if not found[-1]:
            lsh.insert(number, signature)
    return found


def with_datasketch(texts: list[str]) -> list[bool]:
    from datasketch import MinHash, MinHashLSH

    lsh, found = MinHashLSH(THRESHOLD, 128), []
    for number, text in enumerate(texts):
        signature = MinHash(128)
        signature.update_batch([one.encode() for one in shingles(text)])
        found.append(bool(lsh.query(signature)))
        if not found[-1]:
            lsh.insert(str(number), signature)
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    changes = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    texts, planted = corpus(count, changes)
    shingle(texts[:10])  # the table of word characters is made once a process
    signer = Signer(Banding.choose(THRESHOLD))
    filters = BloomIndex.in_memory(BloomSize(signer.banding.bands, count, 1e-5))
    for name, run in (
        ("synth dedup", in_batches(Banded(signer, BandTable()))),
        ("synth dedup --index", in_batches(Banded(signer, filters))),
        ("synth dedup --exact", in_batches(Exact(THRESHOLD))),
        ("rensa", with_rensa),
        ("datasketch", with_datasketch),
    ):
        began = time.process_time()
        try:
            found = run(texts)
        except ImportError:
            print(f"{name}: not installed")
            continue
        rate = count / (time.process_time() - began)
        right = sum(one and other for one, other in zip(found, planted, strict=True))
        recall, precision = right / sum(planted), right / max(sum(found), 1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{name:20} {rate:8,.0f} texts/s  recall {recall:.4f}  precision {precision:.4f}  peak so far {peak} MB")


if __name__ == "__main__":
    main()
