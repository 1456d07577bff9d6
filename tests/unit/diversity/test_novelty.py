"""The filter as a run uses it: what is too close to what, in plan order, however it is asked."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.diversity.embedding import Embeddings
from synth.diversity.meanings import Meanings, calibrate
from synth.diversity.novelty import Novelty
from synth.example import Seed, Verdict, WorkUnit
from synth.recipe.diversity import DiversitySpec
from tests.unit.diversity.toy_embedder import MemoryCache, ToyEmbedder

SEEDS = (Seed("s1", {"question": "where is my parcel"}), Seed("s2", {"question": "how do I pay"}))
TEXT = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4).map(" ".join)


def unit(index: int, seed: Seed | None = None) -> WorkUnit:
    return WorkUnit("g", "k", index, 0, seed, {}, index)


def make(
    most: float | None = 0.9, *, near_own_seed: bool = False, accepted: tuple[tuple[str, str], ...] = ()
) -> Novelty:
    meanings = Meanings(Embeddings(ToyEmbedder(), MemoryCache()), most)
    spec = DiversitySpec(max_overlap=1)
    return Novelty(spec, SEEDS, accepted, meanings, near_own_seed=near_own_seed, keep_texts=True)


async def judge(novelty: Novelty, *texts: str, seed: Seed | None = None, first: int = 0) -> list[Verdict]:
    units = [(unit(first + number, seed), text) for number, text in enumerate(texts)]
    for one, text in units:
        await novelty.prepare(one, text)
    verdicts = await novelty.judge(units)
    assert all(verdict is not None for verdict in verdicts)
    return [verdict for verdict in verdicts if verdict is not None]


async def test_a_rejection_names_its_nearest_neighbour_and_how_close_it_is() -> None:
    novelty = make()
    await novelty.start()
    one, other, third = await judge(novelty, "the cat sat down", "down sat the cat", "something else altogether")
    assert (one.passed, other.passed, third.passed) == (True, False, True)
    assert other.score == 1.0
    assert other.near[0] == "g-000000"
    assert "1.000 like g-000000" in other.reason
    assert novelty.texts(other.near)[0] == "the cat sat down"


async def test_seeds_and_the_teachers_echo_count_but_not_the_own_seed_of_a_kind_that_says_it_again() -> None:
    for near_own_seed, expected in ((False, [False, False, False]), (True, [True, False, True])):
        novelty = make(near_own_seed=near_own_seed)
        await novelty.start([("s1", "the teacher always says this")])
        texts = ("parcel my is where", "pay I do how", "this always says the teacher")
        assert [verdict.passed for verdict in await judge(novelty, *texts, seed=SEEDS[0])] == expected


async def test_all_that_comes_of_one_curated_seed_counts_as_that_seed() -> None:
    made = Seed("g-1", {"question": "my parcel never came"}, ancestors=("s1",))
    other = Seed("g-2", {"question": "card payment fails"}, ancestors=("s2",))
    for near_own_seed, expected in ((False, [False, False, False]), (True, [True, True, False])):
        novelty = make(near_own_seed=near_own_seed)
        novelty.use_seeds([made, other])
        await novelty.start()
        texts = ("never came my parcel", "parcel my is where", "fails payment card")
        assert [verdict.passed for verdict in await judge(novelty, *texts, seed=made)] == expected


async def test_labels_that_sort_seeds_are_no_texts_to_be_like() -> None:
    rows = [("parcel late", "delivery"), ("money back", "refund"), ("box lost", "delivery"), ("sum short", "refund")]
    seeds = [Seed(str(n), {"text": text, "label": label}) for n, (text, label) in enumerate(rows)]
    novelty = Novelty(DiversitySpec(max_overlap=1), seeds, (), Meanings(Embeddings(ToyEmbedder(), MemoryCache()), 0.9))
    await novelty.start()
    assert [verdict.passed for verdict in await judge(novelty, "delivery", "late parcel")] == [True, False]


async def test_a_resumed_filter_judges_as_the_first_did() -> None:
    texts = ["a b c d", "d c b a", "e f g h", "h g f e", "i j k"]
    whole = make()
    await whole.start()
    expected = await judge(whole, *texts)
    kept = tuple((f"g-{n:06d}", text) for n, text in enumerate(texts[:3]) if expected[n].passed)
    resumed = make(accepted=kept)
    await resumed.start()
    assert await judge(resumed, *texts[3:], first=3) == expected[3:]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4).map(" ".join), max_size=30), st.integers()
)
async def test_blocks_do_not_matter(texts: list[str], seed: int) -> None:
    alone, blocks, rng, place = make(0.8), make(0.8), random.Random(seed), 0
    await alone.start()
    await blocks.start()
    one_by_one = [(await judge(alone, text, first=number))[0] for number, text in enumerate(texts)]
    together: list[Verdict] = []
    while place < len(texts):
        size = rng.randint(1, 9)
        together += await judge(blocks, *texts[place : place + size], first=place)
        place += size
    assert together == one_by_one


async def test_a_threshold_of_one_keeps_everything_and_empty_text_is_never_too_close() -> None:
    novelty = make(1.0)
    await novelty.start()
    assert all(verdict.passed for verdict in await judge(novelty, "a b", "b a", "", " ", "!"))


def test_calibration_follows_the_seeds() -> None:
    rng = np.random.default_rng(1)
    spread = rng.normal(size=(40, 64)).astype(np.float32)
    close = (np.ones(64) + 0.35 * rng.normal(size=(40, 64))).astype(np.float32)
    names = [str(number) for number in range(40)]
    levels = []
    for rows in (spread, close):
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        levels.append(calibrate(rows, names))
    assert levels[0] == 0.7
    assert 0.85 < levels[1] < 0.97
    assert calibrate(rows[:5], names[:5]) == 0.9


@pytest.mark.parametrize("drafts", [[], [None], [None, None]])
async def test_nothing_to_judge(drafts: list[None]) -> None:
    novelty = make()
    await novelty.start()
    assert await novelty.judge(drafts) == drafts
