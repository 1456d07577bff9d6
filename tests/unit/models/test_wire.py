from __future__ import annotations

from typing import Any

import orjson
import pytest

from synth.errors import TransientError
from synth.messages import Message, StopReason, Tool, ToolCall, Usage
from synth.models.client import Request, Response, Sampling, UselessAnswer
from synth.models.structured import response_format
from synth.models.tokens import most_input_tokens
from synth.models.wire import decode_response, encode_request

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def ask(*messages: Message, **fields: Any) -> Request:
    return Request(messages or (Message("user", "hi"),), fields.pop("sampling", Sampling(max_tokens=9)), **fields)


def encode(request: Request, **options: Any) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(
        encode_request(request, model="m", way=options.pop("way", "json_schema"), **options)
    )
    return body


def decode(message: dict[str, Any], request: Request | None = None, **fields: Any) -> Response:
    data = {"choices": [{"message": message, "finish_reason": fields.pop("finish", "stop")}], **fields}
    return decode_response(data, request or ask(), where="e", model="m")


def test_a_plain_request_says_no_more_than_it_must() -> None:
    assert encode(ask()) == {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}


def test_everything_that_may_be_asked_is_asked() -> None:
    sampling = Sampling(0.5, 0.9, 7, ("END",), {"top_k": 3})
    tool = Tool("t", "does", {"type": "object"})
    request = ask(sampling=sampling, tools=(tool,), tool_choice="required", schema=SCHEMA, top_logprobs=2, seed=5)
    body = encode(request, send_seed=True, max_tokens_field="max_completion_tokens")
    assert body["messages"] == [{"role": "user", "content": "hi"}]
    del body["messages"], body["model"]
    assert body == {
        "max_completion_tokens": 7,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "top_k": 3,
        "tools": [tool.to_dict()],
        "tool_choice": "required",
        "response_format": response_format("json_schema", SCHEMA),
        "logprobs": True,
        "top_logprobs": 2,
        "seed": 5,
    }


def test_reasoning_is_not_sent_back() -> None:
    said = Message("assistant", "4", (ToolCall("c", "t", "{}"),), reasoning="2 + 2")
    result = Message("tool", "ok", tool_call_id="c")
    assert encode(ask(said, result))["messages"] == [
        {"role": "assistant", "content": "4", "tool_calls": [said.tool_calls[0].to_dict()]},
        {"role": "tool", "content": "ok", "tool_call_id": "c"},
    ]


@pytest.mark.parametrize("system", [True, False])
def test_without_a_schema_of_its_own_the_endpoint_is_told_in_words(system: bool) -> None:
    first = (Message("system", "Be kind."),) if system else ()
    body = encode(ask(*first, Message("user", "hi"), schema=SCHEMA), way="prompt")
    assert "response_format" not in body
    assert body["messages"][0]["role"] == "system"
    assert body["messages"][0]["content"].startswith("Be kind.\n\nAnswer with" if system else "Answer with")
    assert orjson.dumps(SCHEMA).decode() in body["messages"][0]["content"]
    assert body["messages"][1] == {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (SCHEMA, False),
        ({**SCHEMA, "additionalProperties": False}, True),
        ({**SCHEMA, "additionalProperties": False, "required": []}, False),
        ({"type": "array", "items": {**SCHEMA, "additionalProperties": False}}, True),
        ({"type": "array", "items": SCHEMA}, False),
    ],
)
def test_strict_only_where_strict_mode_takes_the_schema(schema: dict[str, Any], strict: bool) -> None:
    wanted = response_format("json_schema", schema)
    assert wanted is not None
    assert wanted["json_schema"]["strict"] is strict


@pytest.mark.parametrize(
    ("message", "reasoning", "content"),
    [
        ({"content": "4", "reasoning_content": "sum"}, "sum", "4"),
        ({"content": "4", "reasoning": "sum"}, "sum", "4"),
        ({"content": "<think>sum</think>4"}, "sum", "4"),
        ({"content": "\n<thinking>\nsum\n</thinking>\n\n4"}, "sum", "4"),
        ({"content": "sum\n</think>\n4"}, "sum", "4"),
        ({"content": "<think></think>4"}, None, "4"),
        ({"content": "<think>cut of"}, "cut of", ""),
        ({"content": "I think <b>so</b>"}, None, "I think <b>so</b>"),
        ({"content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]}, None, "42"),
        ({"content": None}, None, None),
        ({"content": "Write </think> last.", "reasoning_content": "sum"}, "sum", "Write </think> last."),
        ({"content": "<think>sum</think>4", "reasoning_content": "sum"}, "sum", "4"),
        ({"content": [{"type": "reasoning", "text": "sum"}, {"type": "text", "text": "4"}]}, "sum", "4"),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "sum"}]}, "4"]}, "sum", "4"),
        ({"content": [{"type": "thinking", "thinking": "sum"}, {"type": "image_url", "image_url": {}}]}, "sum", ""),
    ],
)
def test_reasoning_is_kept_apart(message: dict[str, Any], reasoning: str | None, content: str | None) -> None:
    found = decode(message).message
    assert (found.reasoning, found.content) == (reasoning, content)


def test_tool_calls_of_servers_that_bend_the_format() -> None:
    calls = [
        {"id": "a", "type": "function", "function": {"name": "t", "arguments": '{"x":1}'}},
        {"function": {"name": "t", "arguments": {"x": 2}}},
        {"id": "", "function": {"name": "t"}},
        {"id": "b", "function": {"name": "t", "arguments": " "}},
    ]
    response = decode({"content": None, "tool_calls": calls}, ask(tools=(Tool("t", "", {}),)))
    assert [call.arguments for call in response.message.tool_calls] == ['{"x":1}', '{"x":2}', "{}", "{}"]
    assert len({call.id for call in response.message.tool_calls} - {""}) == 4
    assert response.stop is StopReason.TOOL_CALLS


def test_every_call_has_an_id_of_its_own_that_is_text() -> None:
    calls = [{"id": given, "function": {"name": "t", "arguments": "{}"}} for given in (7, "a", "a", "a")]
    found = [call.id for call in decode({"content": None, "tool_calls": calls}).message.tool_calls]
    assert (found[:2], len(set(found))) == (["7", "a"], 4)


def test_no_call_is_looked_for_where_none_may_be_made() -> None:
    text = '{"name": "t", "arguments": {}}'
    assert decode({"content": text}).message.tool_calls == ()
    request = ask(tools=(Tool("t", "", {}),), tool_choice="none")
    assert decode({"content": text}, request).message.content == text


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        (None, "stop"),
        ("eos", "stop"),
        ("STOP", "stop"),
        ("Length", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("SAFETY", "content_filter"),
        ("tool_use", "tool_calls"),
    ],
)
def test_finish_reasons(finish: str | None, stop: str) -> None:
    assert decode({"content": "x"}, finish=finish).stop.value == stop


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"finish_reason": "error"}, "finish_reason 'error'"),
        ({"finish_reason": "abort"}, "finish_reason 'abort'"),
        ({"finish_reason": "whim"}, "finish_reason 'whim'"),
        ({"finish_reason": {"type": "stop"}}, "finish_reason"),
        ({"finish_reason": "stop", "error": {"message": "sk-key"}}, r"finish_reason 'stop' \({'message': '\*\*\*'}\)"),
    ],
)
def test_an_answer_that_ended_for_no_known_reason_is_paid_for_and_not_used(choice: dict[str, Any], told: str) -> None:
    data = {"choices": [{"message": {"content": "The first of"}, **choice}]}
    with pytest.raises(UselessAnswer, match=told) as caught:
        decode_response(data, ask(), where="e", model="m", scrub=lambda text: text.replace("sk-key", "***"))
    assert caught.value.usage.output == 4


def test_usage_is_the_servers() -> None:
    told = decode({"content": "x"}, usage={"prompt_tokens": 3, "completion_tokens": 1})
    assert (told.usage, told.usage_estimated) == (Usage(3, 1), False)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": 3, "completion_tokens": 2**64 - 1},
        {"prompt_tokens": -1_000_000, "completion_tokens": 3},
        {"prompt_tokens": True, "completion_tokens": 3},
    ],
)
def test_usage_that_is_not_told_or_cannot_be_is_our_guess_and_marked(usage: dict[str, Any] | None) -> None:
    guessed = decode({"content": "some words of an answer"}, usage=usage)
    assert guessed.usage_estimated
    assert guessed.usage.output == 7
    assert Response.from_dict(guessed.to_dict()) == guessed


def test_half_a_character_becomes_valid_text() -> None:
    response = decode({"content": "a\ud83d", "reasoning": "\ud83d\ude00 \ude00"})
    assert (response.message.content, response.message.reasoning) == ("a\ufffd", "\U0001f600 \ufffd")
    assert orjson.dumps(response.to_dict())


@pytest.mark.parametrize(
    "message",
    [
        {"content": '{"name": "t", "arguments": {"x": "\\ud83d"}}'},
        {"content": None, "tool_calls": [{"function": {"name": "t", "arguments": {"x": "\ud83d"}}}]},
        {"content": None, "tool_calls": [{"function": {"name": "t", "arguments": '{"x":"\ud83d"}'}}]},
    ],
)
def test_half_a_character_in_a_tool_call_is_no_malformed_answer(message: dict[str, Any]) -> None:
    (call,) = decode(message, ask(tools=(Tool("t", "", {}),))).message.tool_calls
    assert call.arguments == '{"x":"\ufffd"}'


def test_a_number_of_any_length_in_a_tool_call_is_no_malformed_answer() -> None:
    text = '{"name": "t", "arguments": {"x": 123456789012345678901234567890}}'
    (call,) = decode({"content": text}, ask(tools=(Tool("t", "", {}),))).message.tool_calls
    assert call.arguments == '{"x":123456789012345678901234567890}'


def test_what_a_useless_answer_cost_is_told() -> None:
    data = {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 1000}}
    with pytest.raises(UselessAnswer) as caught:
        decode_response(data, ask(), where="e", model="m")
    assert (caught.value.usage, caught.value.kind) == (Usage(10, 1000), "malformed")


def test_what_is_said_instead_of_a_choice_is_scrubbed_before_it_is_shortened() -> None:
    data = {"choices": [], "error": {"message": "x" * 175 + "sk-key-0123"}}
    with pytest.raises(TransientError, match="but an error") as caught:
        decode_response(data, ask(), where="e", model="m", scrub=lambda text: text.replace("sk-key-0123", "***"))
    assert "sk-" not in caught.value.message


@pytest.mark.parametrize(
    "data",
    [{}, {"choices": []}, {"choices": None}, {"choices": [{}]}, {"choices": [{"message": None}]}, {"error": "down"},
     {"choices": [{"message": {"content": 7}}]}, {"choices": [{"message": {"tool_calls": [{}]}}]}],
)  # fmt: skip
def test_an_answer_without_a_choice_is_malformed(data: dict[str, Any]) -> None:
    with pytest.raises(TransientError) as caught:
        decode_response(data, ask(), where="e", model="m")
    assert caught.value.kind == "malformed"


def test_the_upper_bound_of_tokens_is_above_every_byte() -> None:
    tool = Tool("t", "does", {"type": "object"})
    messages = (Message("system", "ü" * 100), Message("assistant", None, (ToolCall("c", "t", '{"x": "ü"}'),)))
    request = ask(*messages, tools=(tool,), schema=SCHEMA)
    assert most_input_tokens(request) > len(orjson.dumps(tool.to_dict())) + len(orjson.dumps(SCHEMA)) + 200 + 11
