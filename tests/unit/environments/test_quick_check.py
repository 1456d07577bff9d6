"""A quick yes is never wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from synth.environments.quick_check import compile_check

plain = st.sampled_from(["string", "integer", "number", "boolean", "null"]).map(lambda kind: {"type": kind})
schemas = st.recursive(
    plain
    | st.lists(st.sampled_from(["a", "b", 1, True]), min_size=1, max_size=3).map(
        lambda e: {"type": "string", "enum": e}
    )
    | st.sampled_from([{}, {"type": ["string", "null"]}, {"type": "integer", "minimum": 3}, {"const": 1}, True]),
    lambda inner: (
        inner.map(lambda items: {"type": "array", "items": items})
        | st.builds(
            lambda properties, required, closed: {
                "type": "object",
                "properties": properties,
                "required": required,
                **({"additionalProperties": False} if closed else {}),
            },
            st.dictionaries(st.sampled_from("pqr"), inner, max_size=3),
            st.lists(st.sampled_from("pq"), max_size=2, unique=True),
            st.booleans(),
        )
    ),
    max_leaves=5,
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 4) | st.sampled_from([1.0, 2.5, "a", "b", "c"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pqrs"), inner, max_size=3),
    max_leaves=6,
)


@given(schemas, values)
def test_it_says_yes_to_instances_only(schema: Any, value: Any) -> None:
    if compile_check(schema)(value):
        assert Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"order_id": "W1", "items": ["a", "b"], "reason": "x"}, True),
        ({"order_id": "W1"}, True),
        ({"items": []}, False),
        ({"order_id": 1}, False),
        ({"order_id": "W1", "reason": "z"}, False),
        ({"order_id": "W1", "count": True}, False),
        ({"order_id": "W1", "other": 1}, False),
    ],
)
def test_the_usual_kind_of_arguments(arguments: Any, expected: bool) -> None:
    schema = {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "description": "Such as W1."},
            "items": {"type": "array", "items": {"type": "string"}},
            "reason": {"type": "string", "enum": ["x", "y"]},
            "count": {"type": "integer", "default": 1},
        },
        "required": ["order_id"],
        "additionalProperties": False,
    }
    assert compile_check(schema)(arguments) is expected
