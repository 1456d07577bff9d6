"""What a model sees of a typed Python function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Literal

import pytest

from synth.environments.arguments import ArgumentSchema
from synth.environments.authoring import ToolError
from synth.environments.docstrings import parse_docstring
from synth.environments.signature import Signature, SignatureError


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


@dataclass
class Place:
    city: str
    zip: int | None = None


@dataclass
class Tree:
    children: list[Tree]


def order(
    state: dict[str, Any],
    title: str,
    size: Size,
    places: list[Place],
    on: date,
    tags: list[Literal["a", "b"]] | None = None,
    rate: float = 0.5,
    *,
    urgent: bool = False,
) -> str:
    """Order something.

    More about it,
    on two lines.

    Args:
        title (str): What to order;
            as people call it.
        size: How large.
        places: Where to.
        on: The day.

    Returns:
        The order's id.

    Raises:
        ToolError: never shown.
    """
    return ""


def test_the_schema_is_plain() -> None:
    signature = Signature(order, "order")
    assert signature.description == "Order something.\n\nMore about it,\non two lines.\n\nReturns: The order's id."
    place = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "zip": {"type": "integer"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    assert signature.parameters == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "What to order; as people call it."},
            "size": {"type": "string", "enum": ["s", "l"], "description": "How large."},
            "places": {"type": "array", "items": place, "description": "Where to."},
            "on": {"type": "string", "format": "date", "description": "The day."},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
            "rate": {"type": "number", "default": 0.5},
            "urgent": {"type": "boolean", "default": False},
        },
        "required": ["title", "size", "places", "on"],
        "additionalProperties": False,
    }


def test_arguments_arrive_as_the_types_they_were_written_with() -> None:
    bound = Signature(order, "order").bind(
        {"title": "x", "size": "l", "places": [{"city": "Oslo"}], "on": "2026-02-28", "rate": 1}
    )
    assert bound == {
        "title": "x",
        "size": Size.LARGE,
        "places": [Place("Oslo")],
        "on": date(2026, 2, 28),
        "tags": None,
        "rate": 1.0,
        "urgent": False,
    }


def test_what_json_schema_cannot_say_is_still_an_error_for_the_agent() -> None:
    with pytest.raises(ToolError, match=r"'on': .*day value is outside expected range"):
        Signature(order, "order").bind({"title": "x", "size": "l", "places": [], "on": "2026-02-30"})


def test_a_type_that_contains_itself() -> None:
    def plant(state: dict[str, Any], tree: Tree) -> None:
        """Plant."""

    with pytest.raises(SignatureError, match="tool 'plant': its types have no JSON Schema: Tree contains itself"):
        Signature(plant, "plant")


def test_rest_style_docstrings() -> None:
    def look(state: dict[str, Any], place: str, far: bool = False) -> None:
        """Look somewhere.

        :param place: Where to look,
            by name.
        :param bool far: With a telescope.
        :returns: Nothing.
        """

    assert parse_docstring(look) == (
        "Look somewhere.\n\nReturns: Nothing.",
        {"place": "Where to look, by name.", "far": "With a telescope."},
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "'title', 'size', 'places', 'on' are missing"),
        ('{"title": "t", "size": "l", "on": "d", "places": [{"city": 3}]}', "'places.0.city' must be text, not 3"),
        (
            '{"title": "t", "size": "l", "on": "d", "places": [], "tags": ["c"]}',
            '\'tags.0\' must be one of "a", "b", not "c"',
        ),
        (
            '{"title": "t", "size": "l", "on": "d", "places": [], "urgent": "no"}',
            "'urgent' must be true or false, not \"no\"",
        ),
        ('{"title": "t", "size": "l", "on": "d", "places": [{}]}', "'places.0.city' is missing"),
        ("null", "the arguments must be a JSON object, not null"),
        ("[" * 5000, "the arguments are not valid JSON"),
        ('{"title": "\\ud800"}', "the arguments are not valid JSON"),
    ],
)
def test_messages_that_an_agent_can_act_on(text: str, message: str) -> None:
    with pytest.raises(ToolError) as caught:
        ArgumentSchema(Signature(order, "order").parameters).parse(text)
    assert str(caught.value).startswith(message)


def test_null_for_what_may_be_left_out_is_left_out() -> None:
    schema = ArgumentSchema(Signature(order, "order").parameters)
    given = '{"title": "t", "size": "s", "on": "d", "places": [], "tags": null, "rate": null}'
    assert schema.parse(given).keys() == {"title", "size", "on", "places"}
    with pytest.raises(ToolError, match="'title' must be text, not null"):
        schema.parse('{"title": null, "size": "s", "on": "d", "places": []}')
