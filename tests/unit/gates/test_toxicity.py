"""Insults and threats: what the linear model is sure of."""

from __future__ import annotations

import pytest

from .helpers import make_gate, says

pytest.importorskip("profanity_check")


def test_an_insult_is_not_diluted_by_kind_words() -> None:
    gate = make_gate("toxicity")
    kind = "The parcel is on its way and comes tomorrow. Thank you for asking. "
    assert gate.judge(says(kind * 10)).passed
    verdict = gate.judge(says(kind * 10 + "You are a stupid idiot. " + kind * 10))
    assert not verdict.passed
    assert verdict.reason.startswith("'You are a stupid idiot.' is offensive")
    assert gate.judge(says("", question="You are a stupid idiot.")).score == verdict.score


def test_a_threshold_of_ones_own() -> None:
    assert make_gate({"gate": "toxicity", "max_probability": 1.0}).judge(says("You idiot.")).passed
