"""What the worker knows of a conversation's state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.environments.held import Beginning, Held, NotPlain
from synth.fingerprint import canonical_json

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=8,
)
states = st.dictionaries(st.text("xyz", min_size=1, max_size=2), json_values, max_size=4)


def held(state: dict[str, Any]) -> Held:
    return Held(Beginning(state))


@given(states, states)
def test_the_digest_is_of_what_the_state_is_and_not_of_how_it_came_to_be_so(before: Any, after: Any) -> None:
    changed = held(before)
    changed.state.clear()
    changed.state.update(dict(reversed(after.items())))
    changed.note_changes()
    assert changed.digest() == held(after).digest()
    assert (held(before).digest() == held(after).digest()) == (canonical_json(before) == canonical_json(after))


@given(states, st.text("xyz", min_size=1, max_size=2), json_values)
def test_what_is_taken_back_leaves_nothing(state: Any, key: str, value: Any) -> None:
    one = held(state)
    one.state[key] = value
    one.restore()
    assert not one.is_changed()
    assert one.digest() == held(state).digest()


def test_conversations_that_begin_alike_do_not_see_each_other() -> None:
    beginning = Beginning({"orders": {"1": {"status": "new"}}})
    one, other = Held(beginning), Held(beginning)
    one.state["orders"]["1"]["status"] = "sent"
    assert [change.path for change in one.note_changes()] == ["/orders/1/status"]
    assert other.state == {"orders": {"1": {"status": "new"}}}
    assert one.digest() != other.digest()
    assert Held(beginning).digest() == other.digest()


@pytest.mark.parametrize("state", [{1: 2}, {"a": {1}}, {"a": {1: 2}}, {"a": "x" * (17 << 20)}])
def test_a_state_that_is_no_plain_data_is_refused(state: Any) -> None:
    with pytest.raises(NotPlain):
        Beginning(state)
