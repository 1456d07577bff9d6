"""Which conversations are in order, and what is said of those that are not."""

from __future__ import annotations

import pytest

from synth.example import Draft
from synth.messages import Message, ToolCall

from .helpers import WEATHER, call, make_gate

USER, ANSWER = Message("user", "a"), Message("assistant", "b")
RESULT = Message("tool", "{}", tool_call_id="c1")


def asks(*calls: ToolCall) -> Message:
    return Message("assistant", None, calls)


GOOD = call("weather", '{"city": "Rome"}')


@pytest.mark.parametrize(
    "messages",
    [
        [USER, ANSWER],
        [Message("system", "s"), USER, ANSWER, USER, ANSWER],
        [USER, asks(GOOD), RESULT, ANSWER],
        [USER, asks(GOOD), RESULT, asks(GOOD), RESULT, ANSWER],
        [
            USER,
            asks(GOOD, call("weather", '{"city": "Oslo"}', "c2")),
            Message("tool", "", tool_call_id="c2"),
            RESULT,
            ANSWER,
        ],
    ],
)
def test_what_is_in_order_passes(messages: list[Message]) -> None:
    assert make_gate("format").judge(Draft(tuple(messages), "", (WEATHER,))).reason == ""


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "the conversation ends with nothing"),
        ([USER], "the conversation ends with user"),
        ([ANSWER], "message 1 (assistant) comes after nothing"),
        ([USER, USER, ANSWER], "message 2 (user) comes after user"),
        ([USER, ANSWER, ANSWER], "message 3 (assistant) comes after assistant"),
        ([USER, Message("system", "s"), ANSWER], "message 2 (system) comes after user"),
        ([USER, Message("assistant", "  ")], "message 2 (assistant) is empty"),
        ([USER, asks(GOOD)], "tool call 'c1' is not answered"),
        ([USER, asks(GOOD), ANSWER], "message 3 (assistant) comes before tool call 'c1' is answered"),
        ([USER, asks(GOOD), RESULT, RESULT, ANSWER], "message 4 (tool) answers no open tool call"),
        ([USER, RESULT, ANSWER], "message 2 (tool) answers no open tool call"),
        ([USER, asks(GOOD, GOOD), RESULT, ANSWER], "message 2 (assistant) gives two tool calls the id 'c1'"),
        ([Message("user", "a", (GOOD,))], "message 1 (user) calls a tool"),
        ([USER, asks(call("wether", "{}"))], "message 2 (assistant): there is no tool 'wether'"),
        ([USER, asks(call("weather", "{"))], "message 2 (assistant): the arguments of weather are not JSON"),
        ([USER, asks(call("weather", "[]"))], "message 2 (assistant): the arguments of weather are not a JSON object"),
        (
            [USER, asks(call("weather", "{}"))],
            "message 2 (assistant): the arguments of weather: 'city' is a required property",
        ),
    ],
)
def test_what_is_not_is_named(messages: list[Message], reason: str) -> None:
    verdict = make_gate("format").judge(Draft(tuple(messages), "", (WEATHER,)))
    assert (verdict.passed, verdict.reason) == (False, reason)
