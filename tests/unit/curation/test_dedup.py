"""Near-duplicates: what MinHash, Bloom filters and exact comparison must agree on."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.curation.band_table import BandTable
from synth.curation.bloom import BloomIndex, BloomSize
from synth.curation.dedup import Banded, Deduplicator, Exact
from synth.curation.minhash import Banding, Signer
from synth.curation.shingles import shingle
from synth.diversity.lexical import overlap
from synth.diversity.words import WORD, composed
from synth.errors import UsageError

BANDING = Banding.choose(0.7)
SIGNER = Signer(BANDING)
WORDS = [f"word{number}" for number in range(5000)]


def made(count: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=60)) for _ in range(count)]


def change_a_word(text: str, rng: random.Random) -> str:
    words = text.split()
    words[rng.randrange(len(words))] = "changed"
    return " ".join(words)


def bloom(expected: int = 1000) -> BloomIndex:
    return BloomIndex.in_memory(BloomSize(BANDING.bands, expected, 1e-5))


TEXTS = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.lists(st.sampled_from(["a", "B", "ça", "Ünï", "x_1", "—", "\n", "İ", "ß"]), max_size=8).map(" ".join),
        st.lists(st.sampled_from("aẞ हिन्दी บู้ 你か\u3099\u0301\u200d\n❤\ufe0f\ud800"), max_size=12).map("".join),
    ),
    max_size=6,
)


@given(TEXTS)
def test_shingles_are_those_of_the_words(texts: list[str]) -> None:
    hashes, offsets = shingle(texts)
    known: dict[tuple[str, ...], int] = {}
    for text, start, end in zip(texts, offsets, offsets[1:], strict=False):
        words = re.findall(WORD, composed(text).lower())
        runs = [tuple(words[i : i + 3]) for i in range(max(len(words) - 2, min(len(words), 1)))]
        assert len(runs) == end - start
        for run, value in zip(runs, hashes[start:end].tolist(), strict=True):
            assert known.setdefault(run, value) == value
    assert len(set(known.values())) == len(known)


def test_the_banding_is_the_one_with_the_least_error() -> None:
    false_positive, false_negative = Banding(14, 9).errors(0.7)
    by_hand = sum(1 - (1 - (t / 1e5) ** 9) ** 14 for t in range(70_000)) / 1e5
    assert false_positive == pytest.approx(by_hand, rel=1e-3)
    assert Banding(14, 9) == BANDING
    assert all(sum(BANDING.errors(0.7)) <= sum(Banding(b, r).errors(0.7)) for b, r in ((16, 8), (12, 10), (14, 8)))
    assert false_negative > 0


def test_the_share_of_pairs_found_is_what_theory_says() -> None:
    rng, texts = random.Random(5), made(1500)
    near = texts
    for _ in range(4):
        near = [change_a_word(text, rng) for text in near]
    similar = [overlap(one, other) for one, other in zip(texts, near, strict=True)]
    first, _ = SIGNER.bands(texts)
    second, _ = SIGNER.bands(near)
    found = int((first == second).any(axis=1).sum())
    expected = sum(1 - (1 - s**BANDING.rows) ** BANDING.bands for s in similar)
    spread = math.sqrt(sum(p * (1 - p) for s in similar for p in [1 - (1 - s**BANDING.rows) ** BANDING.bands]))
    assert abs(found - expected) < 6 * spread


def make_deduplicator(method: str) -> Deduplicator:
    return Exact(0.7) if method == "exact" else Banded(SIGNER, bloom() if method == "bloom" else BandTable())


@pytest.mark.parametrize("method", ["exact", "minhash", "bloom"])
def test_the_first_seen_stays_and_unrelated_texts_too(method: str) -> None:
    rng, texts = random.Random(2), made(300)
    copies = [change_a_word(text, rng) for text in texts]
    deduplicator = make_deduplicator(method)
    assert deduplicator.duplicates(texts) == [False] * 300
    assert sum(deduplicator.duplicates(copies)) >= 297
    assert deduplicator.duplicates(["", "?!", ""]) == [False] * 3
    fresh = made(200, seed=9)
    assert deduplicator.duplicates([*fresh, *fresh]) == [False] * 200 + [True] * 200


def test_a_text_as_similar_as_the_threshold_is_a_duplicate() -> None:
    assert Exact(1).duplicates(["one two three four", "one two three", "One two, three four!"]) == [False, False, True]
    assert Exact(0.5).duplicates(["one two three four", "one two three"]) == [False, True]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=120), st.integers(1, 50), st.booleans())
def test_of_what_is_kept_no_two_share_a_band(choice: list[int], batch: int, filtered: bool) -> None:
    base = made(20)
    base += [change_a_word(text, random.Random(number)) for number, text in enumerate(base)] + ["short text"]
    texts = [base[number] for number in choice]
    deduplicator = Banded(SIGNER, bloom(200) if filtered else BandTable(16))
    kept = []
    for start in range(0, len(texts), batch):
        part = texts[start : start + batch]
        kept += [t for t, duplicate in zip(part, deduplicator.duplicates(part), strict=True) if not duplicate]
    bands = SIGNER.bands(kept)[0] if kept else np.zeros((0, 1))
    for column in bands.T:
        assert len(np.unique(column)) == len(column)
    if not filtered:  # and nothing is dropped without cause
        for text in set(texts) - set(kept):
            assert (SIGNER.bands([text])[0] == bands).any()


def test_filters_have_the_formulas_size_and_few_false_positives() -> None:
    size = BloomSize(25, 20_000, 1e-2)
    assert 1 - (1 - size.rate) ** 25 == pytest.approx(1e-2)
    assert size.bits == pytest.approx(20_000 * -math.log(size.rate) / math.log(2) ** 2, abs=64)
    index = BloomIndex.in_memory(size)
    random_bands = np.random.Generator(np.random.PCG64(1)).integers(0, 2**64, (40_000, 25), dtype=np.uint64)
    index.add(random_bands[:20_000])
    assert index.contains(random_bands[:20_000]).all()
    wrong = int(index.contains(random_bands[20_000:]).any(axis=1).sum())
    assert wrong <= 200 + 6 * math.sqrt(200)


def test_a_corpus_in_pieces_is_one_corpus(tmp_path: Path) -> None:
    texts, path = made(120), tmp_path / "i.bloom"
    for number in range(3):
        index = BloomIndex.open(path, BANDING, 0.7, 1000, 1e-5)
        part = texts[number * 40 : number * 40 + 40]
        assert Banded(SIGNER, index).duplicates([*part, *texts[: number * 40]]) == [False] * 40 + [True] * 40 * number
        index.commit()
    assert path.stat().st_size == 4096 + BANDING.bands * index.size.bits // 8
    assert index.kept == 120
    lost = BloomIndex.open(path, BANDING, 0.7, None, 1e-5)
    Banded(SIGNER, lost).duplicates(made(5, seed=4))
    lost.discard()
    again = BloomIndex.open(path, BANDING, 0.7, None, 1e-5)
    assert Banded(SIGNER, again).duplicates(made(5, seed=4)) == [False] * 5
    again.discard()
    assert [one.name for one in tmp_path.iterdir()] == ["i.bloom"]


def test_an_index_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "i.bloom"
    with pytest.raises(UsageError, match="is a new index"):
        BloomIndex.open(path, BANDING, 0.7, None, 1e-5)
    BloomIndex.open(path, BANDING, 0.7, 100, 1e-5).commit()
    with pytest.raises(UsageError, match=r"made with other settings: threshold 0\.7"):
        BloomIndex.open(path, BANDING, 0.8, 100, 1e-5)
    with pytest.raises(UsageError, match="expected 100"):
        BloomIndex.open(path, BANDING, 0.7, 200, 1e-5)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UsageError, match="is cut off"):
        BloomIndex.open(path, BANDING, 0.7, 100, 1e-5)
    path.write_bytes(b"something else")
    with pytest.raises(UsageError, match="is no index"):
        BloomIndex.open(path, BANDING, 0.7, 100, 1e-5)
