import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.diversity.measures import distinct, measure_words, self_bleu, tokens
from synth.diversity.spread import measure_meanings, nearest_similarities, vendi_score

TEXT = st.lists(st.sampled_from("a b c d e".split()), min_size=1, max_size=9)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, min_size=2, max_size=7))
def test_self_bleu_is_sacrebleus(texts: list[list[str]]) -> None:
    joined = [" ".join(text) for text in texts]
    expected = [
        sacrebleu.sentence_bleu(text, joined[:place] + joined[place + 1 :], tokenize="none").score
        for place, text in enumerate(joined)
    ]
    assert self_bleu(texts) == pytest.approx(sum(expected) / len(expected))


def test_distinct_counts_different_ngrams() -> None:
    assert distinct([["a", "b", "a", "b"]], 2) == pytest.approx(2 / 3)
    assert distinct([["a"]], 2) == 0.0


def test_vendi_is_the_effective_number() -> None:
    corners = np.eye(8, dtype=np.float32)
    assert vendi_score(corners) == pytest.approx(8)
    assert vendi_score(np.repeat(corners[:1], 50, axis=0)) == pytest.approx(1)
    assert vendi_score(np.repeat(corners[:4], 25, axis=0)) == pytest.approx(4)


def test_the_nearest_is_never_the_text_itself() -> None:
    rows = np.random.default_rng(1).normal(size=(2100, 12)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    similar = rows @ rows.T
    np.fill_diagonal(similar, -1)
    assert np.allclose(nearest_similarities(rows), similar.max(axis=1), atol=1e-5)
    assert measure_meanings(rows, rows[:5])["nearest_against"]["worst"] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["مرحبا", "!!!"], ["one"]])
def test_little_or_nothing_to_measure(texts: list[str]) -> None:
    assert measure_words(texts)["texts"] == len(texts)


def test_words_and_marks_of_any_script() -> None:
    assert tokens("Привет, мир! 你好") == ["Привет", ",", "мир", "!", "你", "好"]
    assert tokens("नहीं मिला? cafe\u0301") == ["नहीं", "मिला", "?", "café"]
