"""Traces of model calls, in the words of OpenTelemetry's GenAI conventions (semantic-conventions-genai, client spans).

One span is one call with all its retries. What is said to and by a model is in no span unless the user asks for it, and
secrets are in none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson

from synth.messages import Json, Message
from synth.models.client import Request, Response
from synth.models.model import Model
from synth.models.retry import Sent

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue


class Tracing:
    """Makes a span of each call. ``content``: with what was said."""

    def __init__(self, tracer: Tracer, *, content: bool = False) -> None:
        self._tracer = tracer
        self._content = content

    async def trace(self, sending: Awaitable[Sent], model: Model, request: Request, *, unit: str) -> Sent:
        """Await ``sending``, the sending of ``request``, in a span; ``unit`` is the conversation it belongs to."""
        from opentelemetry.trace import SpanKind

        _, _, name = model.identity.partition(":")
        with self._tracer.start_as_current_span(
            f"chat {name}",
            kind=SpanKind.CLIENT,
            attributes=_asked(model, request, unit),
            # A traceback may quote what was said; the error's type is enough to find the call in the run folder.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            if self._content:
                span.set_attribute("gen_ai.input.messages", _dump(map(_said, request.messages)))
            try:
                sent = await sending
            except BaseException as error:
                _fail(span, error)
                raise
            span.set_attributes(_answered(sent))
            if self._content:
                span.set_attribute("gen_ai.output.messages", _dump([_output(sent.response)]))
        return sent


def _asked(model: Model, request: Request, unit: str) -> dict[str, AttributeValue]:
    provider, _, name = model.identity.partition(":")
    sampling, address = request.sampling, urlsplit(model.address)
    attributes: dict[str, AttributeValue | None] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": name,
        "gen_ai.conversation.id": unit,
        "gen_ai.output.type": "text" if request.schema is None else "json",
        "gen_ai.request.max_tokens": sampling.max_tokens,
        "gen_ai.request.temperature": sampling.temperature,
        "gen_ai.request.top_p": sampling.top_p,
        "gen_ai.request.stop_sequences": list(sampling.stop) or None,
        "server.address": address.hostname,
        "server.port": address.port or {"https": 443, "http": 80}.get(address.scheme),
    }
    return {key: value for key, value in attributes.items() if value is not None}


def _answered(sent: Sent) -> dict[str, AttributeValue]:
    response = sent.response
    return {
        "gen_ai.response.model": response.model,
        "gen_ai.response.finish_reasons": [response.stop.value],
        "gen_ai.usage.input_tokens": response.usage.input,
        "gen_ai.usage.output_tokens": response.usage.output,
        "synth.tries": sent.tries,
    }


def _fail(span: Span, error: BaseException) -> None:
    from opentelemetry.trace import StatusCode

    kind = getattr(error, "kind", None)
    span.set_attribute("error.type", kind if isinstance(kind, str) else type(error).__name__)
    span.set_status(StatusCode.ERROR)


def _said(message: Message) -> Json:
    parts: list[Json] = []
    if message.reasoning:
        parts.append({"type": "reasoning", "content": message.reasoning})
    if message.role == "tool":
        parts.append({"type": "tool_call_response", "id": message.tool_call_id, "response": message.content})
    elif message.content:
        parts.append({"type": "text", "content": message.content})
    parts += (
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}
        for call in message.tool_calls
    )
    return {"role": message.role, "parts": parts}


def _output(response: Response) -> Json:
    return {**_said(response.message), "finish_reason": response.stop.value}


def _dump(messages: Iterable[Json]) -> str:
    return orjson.dumps(list(messages)).decode()
