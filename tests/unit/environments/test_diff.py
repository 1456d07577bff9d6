"""The changes between two states are all of them, and no more."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.environments.diff import diff
from synth.environments.vocabulary import Change

Values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "a/b", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "a/b", "~"]), inner),
    max_leaves=8,
)
States = st.dictionaries(st.sampled_from(["x", "y", "z"]), Values)


@given(States, States)
def test_applying_the_changes_gives_the_other_state(before: dict[str, Any], after: dict[str, Any]) -> None:
    changes = list(diff(before, after))
    assert json.dumps(_applied(copy.deepcopy(before), changes), sort_keys=True) == json.dumps(after, sort_keys=True)


@given(States)
def test_equal_states_have_no_changes(state: dict[str, Any]) -> None:
    assert list(diff(state, copy.deepcopy(state))) == []


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (Change("/a", "added", after=None), {"path": "/a", "after": None}),
        (Change("/a", "removed", before=1), {"path": "/a", "before": 1}),
        (Change("/a", "changed", 1, 2), {"path": "/a", "before": 1, "after": 2}),
    ],
)
def test_what_is_not_there_has_no_key(change: Change, shown: dict[str, Any]) -> None:
    assert change.to_dict() == shown


@pytest.mark.parametrize(("before", "after"), [(1, True), (False, 0), (40, 40.0)])
def test_equal_values_of_other_types_differ_at_any_depth(before: Any, after: Any) -> None:
    for old, new, path in [(before, after, "/a"), ([{"b": before}], [{"b": after}], "/a/0/b")]:
        (change,) = diff({"a": old}, {"a": new})
        assert repr(change) == repr(Change(path, "changed", before, after))


def _applied(state: Any, changes: list[Change]) -> Any:
    # Items leave a list from its end, so that those before them keep their places.
    for change in sorted(changes, key=lambda change: change.kind == "removed" and _place(change), reverse=False):
        parent, key = _parent(state, change.path)
        if change.kind == "removed":
            del parent[key]
        elif isinstance(parent, list) and key == len(parent):
            parent.append(change.after)
        else:
            parent[key] = change.after
    return state


def _place(change: Change) -> int:
    last = change.path.rpartition("/")[2]
    return 1000 - int(last) if last.isdigit() else 1


def _parent(state: Any, path: str) -> tuple[Any, Any]:
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    for part in way:
        state = state[int(part)] if isinstance(state, list) else state[part]
    return state, int(last) if isinstance(state, list) else last
