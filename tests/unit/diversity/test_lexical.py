import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.diversity.lexical import LexicalIndex, Overlap, overlap

WORDS = st.lists(st.sampled_from("a b c d e f".split()), max_size=14).map(" ".join)


def jaccard(one: str, other: str) -> float:
    def shingles(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        if len(words) <= 3:
            return {tuple(words)} if words else set()
        return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}

    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second) if first | second else 0.0


@given(st.lists(WORDS, max_size=12), WORDS, st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_finds_exactly_what_comparing_with_all_finds(texts: list[str], text: str, threshold: float) -> None:
    index = LexicalIndex(threshold)
    for number, seen in enumerate(texts):
        index.add(str(number), seen)
    found = index.nearest(text)
    best = max((jaccard(text, seen) for seen in texts), default=0.0)
    assert (found is not None) == (best > threshold)
    if found is not None:
        assert found.similarity == best
        assert jaccard(text, texts[int(found.name)]) == best


@given(WORDS, WORDS)
def test_overlap_is_the_jaccard_similarity(one: str, other: str) -> None:
    assert overlap(one, other) == jaccard(one, other)


def test_signs_are_compared_where_there_are_no_words() -> None:
    index = LexicalIndex(0.5)
    index.add("empty", " ")
    index.add("signs", "😀🎉 !!!")
    assert index.nearest("") is None
    assert index.nearest("???") is None
    assert index.nearest("😀🎉 !!!") == Overlap("signs", 1.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("我今天早上丢了银行卡应该怎么办", "我今天早上丢了银行卡应该怎么做"),
        ("今朝カードをなくしましたどうすればいいですか", "今朝カードをなくしましたどうすればいいか"),
        ("ฉันทำบัตรหายเมื่อเช้านี้ควรทำอย่างไร", "ฉันทำบัตรหายเมื่อเช้านี้ควรทำยังไง"),
    ],
)
def test_scripts_without_spaces_are_compared_by_character(one: str, other: str) -> None:
    assert overlap(one, other) > 0.6
    assert overlap(one, one[::-1]) < 0.2


def test_operators_between_numbers_tell_wordings_apart() -> None:
    index = LexicalIndex(0.8)
    index.add("sum", "What is 12 + 7?")
    assert index.nearest("What is 12 - 7?") is None
    assert index.nearest("what is 12+7") is not None
