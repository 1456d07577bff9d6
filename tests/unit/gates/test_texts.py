"""Gates that read what was said: length, refusal, repetition, language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.curation.repetition import repeated_share
from synth.errors import UsageError
from synth.example import Draft
from synth.messages import Message

from .helpers import call, make_gate, says


def test_length_counts_words_and_characters_of_each_message() -> None:
    gate = make_gate({"gate": "length", "min_words": 2, "max_words": 4, "max_chars": 20})
    assert gate.judge(says("two words")).passed
    assert gate.judge(says("two words")).score == 2
    short = gate.judge(says("one"))
    assert (short.passed, short.gate, short.reason) == (False, "length", "a message of the assistant has 1 words of 2")
    assert "5 words, and 4 are allowed" in gate.judge(says("a b c d e")).reason
    assert "27 characters" in gate.judge(says("wwwwwwwwwwwww wwwwwwwwwwwww")).reason


def test_length_looks_at_the_roles_it_is_told() -> None:
    gate = make_gate({"gate": "length", "id": "question", "roles": ["user"], "min_words": 3})
    assert gate.judge(says("x", question="one two three")).passed
    assert gate.judge(says("one two three", question="x")).gate == "question"
    assert not gate.judge(says("one two three", question="x")).passed


def test_an_assistant_that_only_calls_a_tool_says_nothing() -> None:
    draft = Draft((Message("user", "a"), Message("assistant", None, (call("t", "{}"),))), "")
    assert make_gate("length").judge(draft).passed


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I have no feelings.",
        "Well, as a large language model I think so.",
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I cannot assist with this request.",
        "I cannot provide medical advice.",
        "I can't help you.",
        "I am unable to answer that.",
        "I'm unable to answer that.",
        "Unfortunately, I cannot do it.",
        "I must decline.",
        "**I apologize, but I am not able to do this.**",
        "That is so. I'm just an AI, though.",
        "My knowledge cutoff is 2023.",
        "My training data includes texts up to 2023.",
        "I can't share that.",
        "I won't write this.",
        "I cannot continue.",
        "I don't have personal opinions.",
    ],
)
def test_refusals_and_talk_of_oneself_are_found(text: str) -> None:
    verdict = make_gate("refusal").judge(says(text))
    assert not verdict.passed
    assert verdict.reason.startswith("the assistant says ")
    assert verdict.score


@pytest.mark.parametrize(
    "text",
    [
        "The refund is on its way. I am sorry for the delay!",
        "She said: you can't help it.",
        "The company builds AI models for hospitals.",
        "You cannot divide by zero, so the limit does not exist.",
        "Sorry to hear that your parcel is late. It arrives tomorrow.",
        "I can help you with that.",
        "A language model predicts the next token.",
        "I can't help but notice the sum is 5.",
        "I will not write every step, but the answer is 5.",
        "I cannot share the cost equally, so I give 3 to Ann.",
        "I won't continue the series past 10.",
        "My training data is a CSV file with 3 columns.",
    ],
)
def test_what_only_resembles_a_refusal_passes(text: str) -> None:
    assert make_gate("refusal").judge(says(text)) == make_gate("refusal").judge(says("Yes."))


def test_own_phrases_are_refused_in_any_case() -> None:
    gate = make_gate({"gate": "refusal", "phrases": ["Certainly! (Here"]})
    assert not gate.judge(says("certainly! (here it is)")).passed


def test_repetition_of_words_and_of_lines() -> None:
    gate = make_gate("repetition")
    circle = gate.judge(says("the same thing again and " * 10))
    assert not circle.passed
    assert "4-word sequences" in circle.reason
    lines = gate.judge(says("\n".join(["yes", "no", "maybe"] * 4)))
    assert not lines.passed
    assert gate.judge(says(" ".join(f"w{i}" for i in range(50)))).score == 0


@given(st.lists(st.integers(), min_size=8, unique=True), st.integers(1, 5))
def test_the_repeated_share_of_a_list_said_n_times(items: list[int], times: int) -> None:
    assert repeated_share(items * times) == pytest.approx(1 - 1 / times)


def test_language_rejects_what_it_is_sure_of() -> None:
    gate = make_gate({"gate": "language", "languages": ["en", "de"]})
    assert gate.judge(says("The parcel arrives tomorrow in the morning, I think.")).passed
    assert gate.judge(says("Das Paket kommt morgen früh an, denke ich.")).passed
    french = gate.judge(says("Le colis arrive demain matin, je pense que oui."))
    assert not french.passed
    assert french.reason.startswith("a message of the assistant is in 'fr'")
    assert gate.judge(says("Oui, bien sûr")).passed  # too short to tell


def test_language_refuses_a_code_it_does_not_know() -> None:
    with pytest.raises(UsageError, match="knows no language 'xx'"):
        make_gate({"gate": "language", "languages": ["xx"]})
