import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.diversity.lexical import LexicalIndex, Overlap, overlap
from synth.diversity.words import MARKS, words_of

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


@pytest.mark.parametrize(
    "text",
    [
        "मेरा पार्सल अभी तक नहीं मिला",
        "আমার পার্সেল এখনো আসেনি",
        "தமிழ் மொழி",
        "مُحَمَّدٌ هُنا",
        "שָׁלוֹם עוֹלָם",
        "می\u200cخواهم بروم",
        "ᬲᬸᬭ ᬩᬮᬶ",
        "𞤢𞤣𞤤𞤢𞤥 𞤨𞤵𞥅",
    ],
)
def test_a_word_goes_on_over_its_marks(text: str) -> None:
    assert words_of(text) == [unicodedata.normalize("NFC", word) for word in text.lower().split()]


def test_in_scripts_without_spaces_a_character_has_its_marks() -> None:
    assert words_of("บู้ ភាសាខ្មែរ မြန်မာ") == ["บู้", "ភា", "សា", "ខ្", "មែ", "រ", "မြ", "န်", "မာ"]
    assert words_of("か\u3099中a\u0301") == ["が", "中", "á"]


def test_marks_alone_are_no_words() -> None:
    assert words_of("❤\ufe0f 👩\u200d💻") == ["❤\ufe0f", "👩\u200d💻"]
    assert words_of("\u0301 ok") == ["ok"]


def test_sentences_that_differ_in_vowel_signs_differ() -> None:
    assert overlap("मेरा बेटा आज पहली बार स्कूल जाता है", "मेरी बेटी आज पहला बार स्कूल जाती है") < 0.2


def test_letters_are_the_same_however_they_are_composed() -> None:
    assert words_of(unicodedata.normalize("NFD", "Café préféré")) == ["café", "préféré"]


def test_the_marks_are_those_of_unicode() -> None:
    plane = map(chr, range(0x10000))
    assigned = [one for one in plane if unicodedata.ucd_3_2_0.category(one) != "Cn"]  # in every Python
    marks = {one for one in assigned if unicodedata.category(one) in {"Mn", "Mc"}}
    assert set(re.findall(f"[{MARKS}]", "".join(assigned))) == marks | {"\u200c", "\u200d"}
