"""What a model can do, found out with one small call each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from synth.errors import ModelError
from synth.messages import Message, Tool
from synth.models.client import Request, Response, Sampling
from synth.models.model import Model
from synth.models.openai_compatible import OpenAICompatible
from synth.models.retry import send
from synth.models.tokens import most_input_tokens

_MOST_TOKENS = 256  # a reasoning model thinks before it says a word
_SCHEMA = {
    "type": "object",
    "properties": {"even": {"type": "boolean"}},
    "required": ["even"],
    "additionalProperties": False,
}
_TOOL = Tool(
    "get_time",
    "The time of day in a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether something works, and what there is to say about it."""

    works: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """``seconds`` is how long the chat took; ``context_length`` is None where the server does not tell."""

    model: str
    seconds: float
    chat: Finding
    json_schema: Finding
    tools: Finding
    logprobs: Finding
    context_length: int | None = None


_Judge = Callable[[Response, Model], Finding]


async def probe(model: Model) -> ProbeResult:
    """Ask ``model`` for a word, an object, a tool call and log probabilities.

    Raises ``FatalModelError`` where it cannot be used at all; anything else that fails is a finding.
    """
    started = time.monotonic()
    chat = await _find(model, _ask("Answer with one word: ready."), _has_text)
    seconds = time.monotonic() - started
    client = model.client
    return ProbeResult(
        model=model.name,
        seconds=seconds,
        chat=chat,
        json_schema=await _find(model, _ask("Is 4 an even number?", schema=_SCHEMA), _has_object),
        tools=await _find(model, _ask("What time is it in Oslo? Use the tool.", tools=(_TOOL,)), _has_call),
        logprobs=await _find(model, _ask("Say yes.", top_logprobs=1), _has_logprobs),
        context_length=await client.context_length() if isinstance(client, OpenAICompatible) else None,
    )


def _ask(
    text: str,
    *,
    schema: dict[str, object] | None = None,
    tools: tuple[Tool, ...] = (),
    top_logprobs: int | None = None,
) -> Request:
    sampling = Sampling(max_tokens=_MOST_TOKENS)
    return Request((Message("user", text),), sampling, tools=tools, schema=schema, top_logprobs=top_logprobs)


async def _find(model: Model, request: Request, judge: _Judge) -> Finding:
    try:
        sent = await send(model, request, most_input_tokens(request) + _MOST_TOKENS)
    except ModelError as error:
        return Finding(False, error.message)
    return judge(sent.response, model)


def _has_text(response: Response, model: Model) -> Finding:
    said = bool(response.message.content or response.message.reasoning)
    return Finding(said, "" if said else "the answer is empty")


def _has_object(response: Response, model: Model) -> Finding:
    way = model.client.structured_way if isinstance(model.client, OpenAICompatible) else ""
    try:
        value = orjson.loads(response.message.content or "")
    except orjson.JSONDecodeError:
        return Finding(False, f"asked by {way}, the answer is not JSON" if way else "the answer is not JSON")
    return Finding(isinstance(value, dict) and isinstance(value.get("even"), bool), way)


def _has_call(response: Response, model: Model) -> Finding:
    called = any(call.name == _TOOL.name for call in response.message.tool_calls)
    return Finding(called, "" if called else "it answered without the tool")


def _has_logprobs(response: Response, model: Model) -> Finding:
    block = response.logprobs
    return Finding(bool(block and block.get("content")), "" if block else "the server sends none")
