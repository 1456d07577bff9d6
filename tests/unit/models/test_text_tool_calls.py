from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.messages import Tool
from synth.models.text_tool_calls import parse_text_tool_calls

TOOLS = [Tool("search", "", {}), Tool("get_order", "", {})]
CALL = '{"name": "search", "arguments": {"query": "red shoes"}}'


@pytest.mark.parametrize(
    ("text", "remains"),
    [
        (CALL, ""),
        (f"  {CALL}\n", ""),
        (f"[{CALL}]", ""),
        ('{"name": "search", "parameters": {"query": "red shoes"}}', ""),
        ('{"function": {"name": "search", "arguments": {"query": "red shoes"}}, "type": "function"}', ""),
        ('{"name": "search", "arguments": "{\\"query\\": \\"red shoes\\"}"}', ""),
        (f"```json\n{CALL}\n```", ""),
        (f"```\n{CALL}\n```", ""),
        (f"<tool_call>\n{CALL}\n</tool_call>", ""),
        (f"<tool_call>{CALL}", ""),
        (f"<|python_tag|>{CALL}", ""),
        (f"[TOOL_CALLS][{CALL}]", ""),
        ('functions.search({"query": "red shoes"})', ""),
        ('functions.search:0 {"query": "red shoes"}', ""),
        (f"I will look it up. {CALL}", "I will look it up."),
        (f"Sure!\n<tool_call>{CALL}</tool_call>\nOne moment.", "Sure!\n\nOne moment."),
        ('{"name": "search", "arguments": {"query": "red\nshoes"}}', ""),
    ],
)
def test_a_call_is_recognised(text: str, remains: str) -> None:
    found = parse_text_tool_calls(text, TOOLS)
    assert found is not None
    assert found[0] == remains
    (call,) = found[1]
    assert call.name == "search"
    assert " ".join(orjson.loads(call.arguments)["query"].split()) == "red shoes"


def test_several_calls_keep_their_order_and_get_ids_of_their_own() -> None:
    second = '{"name": "get_order", "arguments": {"id": 7}}'
    found = parse_text_tool_calls(f"<tool_call>{CALL}</tool_call><tool_call>{second}</tool_call>", TOOLS)
    assert found is not None
    assert [call.name for call in found[1]] == ["search", "get_order"]
    assert len({call.id for call in found[1]}) == 2
    assert parse_text_tool_calls(f"{CALL}\n{CALL}", TOOLS) == parse_text_tool_calls(f"{CALL}\n{CALL}", TOOLS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I found two pairs of red shoes.",
        '{"name": "delete_everything", "arguments": {}}',
        'The answer is {"name": "Ann", "age": 7}.',
        '{"name": "search", "arguments": ["red shoes"]}',
        '{"name": "search", "arguments": "red shoes"}',
        '{"name": "search", "arguments": {"query": ',
        "functions.search(red shoes)",
        "[1, 2, {]",
        "```json\n{}\n```",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert parse_text_tool_calls(text, TOOLS) is None


@given(st.text(alphabet='{}[]",:search name\\`<>tool_call/1', max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    found = parse_text_tool_calls(text, TOOLS)
    assert found is None or found[1]


def test_no_arguments_may_be_no_text() -> None:
    found = parse_text_tool_calls('{"name": "search", "arguments": ""}', TOOLS)
    assert found is not None
    assert [call.arguments for call in found[1]] == ["{}"]
