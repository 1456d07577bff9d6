"""Tokens of a request without its tokenizer: a likely number, and one that no tokenizer passes."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

import orjson

from synth.models.client import Request

MOST_TOKENS = 100_000_000
"""Of one request or answer: far more than any context holds."""
_BYTES_PER_TOKEN = 3.6  # English prose and code with the vocabularies of 2024 and later: 3.5 to 4.5
_TEMPLATE_TOKENS = 128  # what chat templates add of their own: a date, a default system prompt
_MESSAGE_TOKENS = 16  # and around each message


def is_token_count(value: Any) -> TypeGuard[int]:
    """Whether what a server says is a number of tokens can be one."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS


def estimate_tokens(text: str) -> int:
    """The likely number of tokens of ``text``."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / _BYTES_PER_TOKEN)


def most_input_tokens(request: Request) -> int:
    """An upper bound of the request's input tokens: byte-level vocabularies make at most one token of each byte."""
    size = _TEMPLATE_TOKENS + _MESSAGE_TOKENS * len(request.messages)
    for message in request.messages:
        size += len((message.content or "").encode("utf-8", "surrogatepass"))
        for call in message.tool_calls:
            size += len(call.name) + len(call.arguments.encode("utf-8", "surrogatepass")) + _MESSAGE_TOKENS
    if request.tools:
        size += len(orjson.dumps([tool.to_dict() for tool in request.tools]))
    if request.schema is not None:
        size += len(orjson.dumps(request.schema)) + _TEMPLATE_TOKENS
    return size
