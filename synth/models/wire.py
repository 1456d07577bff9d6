"""The OpenAI chat completions format: a request as a body, an answer as a response."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from synth.errors import TransientError
from synth.fingerprint import fingerprint_text
from synth.messages import Json, Message, StopReason, ToolCall, Usage
from synth.models.client import Request, Response, UselessAnswer
from synth.models.structured import Way, instruction, response_format
from synth.models.text import dump_json, keep, valid_text
from synth.models.text_tool_calls import parse_text_tool_calls
from synth.models.tokens import estimate_tokens, is_token_count

_THOUGHT = re.compile(r"^\s*(?:<think(?:ing)?>)?(.*?)</think(?:ing)?>\s*", re.DOTALL)
_OPEN_THOUGHT = re.compile(r"^\s*<think(?:ing)?>(.*)$", re.DOTALL)

_FINISH_REASONS = {  # OpenAI's word first, then what others say instead
    StopReason.STOP: "stop eos eos_token end_turn stop_sequence stop_token stopped end complete completed finished",
    StopReason.LENGTH: "length max_length max_tokens max_output_tokens model_length model_context_window_exceeded",
    StopReason.TOOL_CALLS: "tool_calls tool_call tool_use function_call",
    StopReason.CONTENT_FILTER: "content_filter safety recitation blocklist prohibited_content spii refusal",
}
_STOP_REASONS = {word: reason for reason, words in _FINISH_REASONS.items() for word in words.split()}
_THOUGHTS = ("reasoning", "thinking")


def encode_request(
    request: Request, *, model: str, way: Way, max_tokens_field: str = "max_tokens", send_seed: bool = False
) -> bytes:
    """The body of a chat completion. What a model thought before is left out: servers do not take it back."""
    sampling = request.sampling
    body: Json = {
        "model": model,
        "messages": [_encode_message(message) for message in request.messages],
        max_tokens_field: sampling.max_tokens,
    }
    if sampling.temperature is not None:
        body["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        body["top_p"] = sampling.top_p
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if request.tools:
        body["tools"] = [tool.to_dict() for tool in request.tools]
        if request.tool_choice is not None:
            body["tool_choice"] = request.tool_choice
    if request.schema is not None:
        if way != "prompt":
            body["response_format"] = response_format(way, request.schema)
        if way != "json_schema":
            body["messages"] = _with_instruction(body["messages"], instruction(request.schema))
    if request.top_logprobs is not None:
        body["logprobs"] = True
        body["top_logprobs"] = request.top_logprobs
    if send_seed and request.seed is not None:
        body["seed"] = request.seed
    if sampling.extra:
        body.update(sampling.extra)
    return orjson.dumps(body)


def message_bodies(request: Request) -> list[Json]:
    """The messages as chat templates take them; where there is a schema, with what a model is told of it."""
    messages = [_encode_message(message) for message in request.messages]
    return messages if request.schema is None else _with_instruction(messages, instruction(request.schema))


def decode_response(
    data: Json, request: Request, *, where: str, model: str, scrub: Callable[[str], str] = keep
) -> Response:
    """The answer in a chat completion object. ``scrub`` takes secrets out of what is said in place of one.

    Raises ``TransientError`` (``malformed``) where there is none, ``UselessAnswer`` where that cost something: also for
    an answer that ended for no reason known here, which may be in the middle of it.
    """
    counted = _decode_usage(data.get("usage"))
    try:
        choice = data["choices"][0]
        message = _decode_message(choice["message"], request)
        finish, failed = choice.get("finish_reason") or "stop", choice.get("error")
        logprobs = choice.get("logprobs")
    except (LookupError, TypeError, AttributeError) as error:
        said = data.get("error")
        told = f"{where} answered 200 without a usable choice"
        if said:
            told += f" but an error ({scrub(str(said))[:200]})"
        if counted is not None and counted.total:
            raise UselessAnswer(told, counted) from error
        raise TransientError(told, kind="malformed") from error
    usage = _estimate_usage(request, message) if counted is None else counted
    stop = _STOP_REASONS.get(str(finish).lower())
    if stop is None or failed:
        told = f"{where} ended its answer with the finish_reason {scrub(str(finish))[:60]!r}"
        raise UselessAnswer(f"{told} ({scrub(str(failed))[:200]})" if failed else told, usage)
    if message.tool_calls and stop is StopReason.STOP:
        stop = StopReason.TOOL_CALLS
    name = str(data.get("model") or model)
    return Response(message, usage, stop, name, logprobs, usage_estimated=counted is None)


def _encode_message(message: Message) -> Json:
    data: Json = {"role": message.role, "content": message.content}
    if message.tool_calls:
        data["tool_calls"] = [call.to_dict() for call in message.tool_calls]
    if message.tool_call_id is not None:
        data["tool_call_id"] = message.tool_call_id
    return data


def _with_instruction(messages: list[Json], text: str) -> list[Json]:
    """The messages with ``text`` at the end of the system message, or as one where there is none."""
    if messages and messages[0]["role"] == "system":
        return [{**messages[0], "content": f"{messages[0]['content']}\n\n{text}"}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _decode_message(data: Json, request: Request) -> Message:
    content, reasoning = _text(data.get("content"))
    told = data.get("reasoning_content") or data.get("reasoning")
    if isinstance(told, str) and told:
        reasoning = valid_text(told)
    if content is not None and "think" in content and (reasoning is None or content.lstrip().startswith("<think")):
        thought, content = _split_thought(content)
        reasoning = reasoning or thought
    calls = _decode_tool_calls(data.get("tool_calls") or ())
    if request.tools and not calls and content and request.tool_choice != "none":
        found = parse_text_tool_calls(content, request.tools)
        if found is not None:
            text, calls = found
            content = text or None
    return Message("assistant", content, calls, None, reasoning)


def _text(content: Any) -> tuple[str | None, str | None]:
    """Content as text, and what was thought: some servers answer with a list of parts."""
    if isinstance(content, list):
        said, thought = _join_parts(content)
        return valid_text(said), valid_text(thought) or None
    if isinstance(content, str):
        return valid_text(content), None
    if content is None:
        return None, None
    raise TypeError("content is neither text nor parts")


def _join_parts(parts: list[Any]) -> tuple[str, str]:
    said, thought = "", ""
    for part in parts:
        if isinstance(part, str):
            said += part
        elif part.get("type") in _THOUGHTS:  # its text, or parts of its own, under its type
            inner = part.get("text") or part.get(part["type"]) or ""
            thought += "".join(_join_parts(inner if isinstance(inner, list) else [inner]))
        else:
            said += part.get("text") or ""
    return said, thought


def _split_thought(content: str) -> tuple[str | None, str]:
    """What stands in leading think tags, and the rest. A template may have opened the tag in the prompt already."""
    found = _THOUGHT.match(content)
    if found is not None:
        return found[1].strip() or None, content[found.end() :]
    cut_off = _OPEN_THOUGHT.match(content)
    return (cut_off[1].strip() or None, "") if cut_off is not None else (None, content)


def _decode_tool_calls(data: Iterable[Json]) -> tuple[ToolCall, ...]:
    """The calls, each with an id of its own: a result says by it which call it is of."""
    calls: dict[str, ToolCall] = {}
    for index, call in enumerate(data):
        function = call["function"]
        name, arguments = valid_text(function["name"]), function.get("arguments")
        # Ollama and others send the object itself; some write nothing where there are no arguments.
        text = arguments if isinstance(arguments, str) else dump_json(arguments or {})
        arguments = valid_text(text).strip() or "{}"
        call_id = valid_text(str(call.get("id") or ""))
        if not call_id or call_id in calls:
            call_id = f"call_{fingerprint_text(name + arguments)[:12]}_{index}"
        calls[call_id] = ToolCall(call_id, name, arguments)
    return tuple(calls.values())


def _decode_usage(data: Any) -> Usage | None:
    """The server's count; None where it sent none that can be true."""
    if isinstance(data, dict):
        sent, received = data.get("prompt_tokens"), data.get("completion_tokens")
        if is_token_count(sent) and is_token_count(received):
            return Usage(sent, received)
    return None


def _estimate_usage(request: Request, message: Message) -> Usage:
    said = (message.content or "") + (message.reasoning or "") + "".join(call.arguments for call in message.tool_calls)
    asked = "".join(message.content or "" for message in request.messages)
    return Usage(estimate_tokens(asked), estimate_tokens(said))
