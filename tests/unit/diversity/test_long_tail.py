import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from synth.diversity.long_tail import add_typos, draw_long_tail, with_typos
from synth.example import Draft, WorkUnit
from synth.messages import Message, ToolCall
from synth.recipe.axes import LongTailSpec

SAID = "My parcel of 12 books, worth 3.50 each, has not arrived since Monday."


def test_each_feature_has_its_own_share() -> None:
    spec = LongTailSpec(typos=0.25, emoji=0.5)
    drawn = [draw_long_tail(spec, seed) for seed in range(2000)]
    assert 400 < sum("typos" in one for one in drawn) < 600
    assert 900 < sum("emoji" in one for one in drawn) < 1100
    assert 180 < sum(len(one) == 2 for one in drawn) < 320
    assert draw_long_tail(LongTailSpec(), 1) == ()


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(0, 999))
def test_typos_leave_numbers_and_the_number_of_words(text: str, seed: int) -> None:
    slipped = add_typos(text, random.Random(seed))
    assert re.findall(r"\d+", slipped) == re.findall(r"\d+", text)
    assert len(slipped.split()) == len(text.split())


def test_only_what_the_user_says_gets_typos() -> None:
    draft = Draft((Message("user", SAID), Message("assistant", SAID)), SAID)
    unit = WorkUnit("g", "k", 0, 0, None, {}, 7, long_tail=("typos",))
    slipped = with_typos(unit, draft)
    assert slipped.messages[0].content != SAID
    assert slipped.messages[1].content == SAID
    assert with_typos(unit, draft) == slipped


@given(st.integers(0, 999))
def test_addresses_and_what_a_tool_was_called_with_stay(seed: int) -> None:
    said = "Please return Rosenthal to noah.brown@example.com, see /home/noah/parcels-list or example.org today."
    call = ToolCall("c", "give_back", '{"title": "Rosenthal"}')
    other = {"role": "user", "content": said}
    columns = {"prompt": [other], "text": said, "label": "return"}
    draft = Draft((Message("user", said), Message("assistant", None, (call,))), said, extra=columns)
    slipped = with_typos(WorkUnit("g", "k", 0, 0, None, {}, seed, long_tail=("typos",)), draft)
    written = slipped.messages[0].content or ""
    assert written != said
    assert all(
        part in written for part in ("Rosenthal", "noah.brown@example.com", "/home/noah/parcels-list", "example.org")
    )
    assert slipped.extra == {"prompt": [{"role": "user", "content": written}], "text": written, "label": "return"}
