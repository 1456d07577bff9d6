"""Counting a request's tokens by the server's own tokenizer and chat template."""

from __future__ import annotations

import orjson

from synth.errors import SynthError
from synth.models.client import Request
from synth.models.context import estimate_input
from synth.models.endpoint import Endpoint
from synth.models.structured import Way
from synth.models.tokens import is_token_count
from synth.models.wire import encode_request

_WAY: Way = "json_schema"  # a schema adds nothing to the prompt then


async def count_tokens(endpoint: Endpoint, model: str, request: Request) -> int:
    """The input tokens of ``request``, by vLLM's ``/tokenize``; an estimate where that does not answer."""
    body = orjson.loads(encode_request(request, model=model, way=_WAY))
    asked = {key: body[key] for key in ("model", "messages", "tools") if key in body}
    try:
        answer = await endpoint.post("/../tokenize", orjson.dumps(asked), model=model)
    except SynthError:
        return await estimate_input(request)
    count = answer.get("count")
    return count if is_token_count(count) else await estimate_input(request)
