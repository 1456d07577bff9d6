"""Spans of model calls, in memory."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from synth.errors import SynthError
from synth.messages import Message, Tool, ToolCall
from synth.models.client import Request, Sampling
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.models.open_tracing import open_tracing
from synth.models.progress import ModelState, Warned
from synth.models.tracing import Tracing
from synth.recipe.models import ModelSpec
from tests.memory_journal import MemoryJournal

ANSWERS = """
- {match: call a tool, tool_calls: [{name: look, arguments: {id: 7}}]}
- {match: flaky, error: {kind: malformed, times: 1}, answer: at last}
- {match: dead, error: {kind: malformed}}
- {rule: echo}
"""


async def trace(folder: Path, *requests: Request, content: bool = False) -> list[ReadableSpan]:
    (folder / "answers.yaml").write_text(ANSWERS)
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = Tracing(provider.get_tracer("synth"), content=content)
    spec = ModelSpec(provider="scripted", model="teacher", answers="answers.yaml")
    async with open_models({"m": spec}, base=folder, run_dir=folder) as models:
        caller = JournaledCaller(models, MemoryJournal(), tracing=tracing)
        for request in requests:
            with suppress(SynthError):
                await caller.call("m", request, unit="g-000003", key="k")
    return list(exporter.get_finished_spans())


def ask(*messages: Message, **fields: Any) -> Request:
    return Request(messages, Sampling(temperature=0.5, max_tokens=64, stop=("END",)), **fields)


def words(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict(attributes or {})


async def test_a_call_is_a_span_in_the_words_of_the_conventions(tmp_path: Path) -> None:
    (span,) = await trace(tmp_path, ask(Message("user", "my secret question")))
    assert span.name == f"chat {words(span.attributes)['gen_ai.request.model']}"
    assert span.kind is SpanKind.CLIENT
    found = words(span.attributes)
    assert found.pop("gen_ai.usage.input_tokens") > 0
    assert found.pop("gen_ai.usage.output_tokens") > 0
    assert found.pop("gen_ai.request.model").startswith("teacher")
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "scripted",
        "gen_ai.conversation.id": "g-000003",
        "gen_ai.output.type": "text",
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.model": "teacher",
        "gen_ai.response.finish_reasons": ("stop",),
        "synth.tries": 1,
    }
    assert "secret" not in span.to_json()


async def test_retries_are_one_span_and_a_replayed_answer_is_none(tmp_path: Path) -> None:
    flaky = ask(Message("user", "flaky"))
    (span,) = await trace(tmp_path, flaky, flaky)
    assert words(span.attributes)["synth.tries"] == 2
    assert span.status.status_code is StatusCode.UNSET


async def test_a_call_that_is_given_up_says_why_and_quotes_nothing(tmp_path: Path) -> None:
    (span,) = await trace(tmp_path, ask(Message("user", "dead")))
    assert words(span.attributes)["error.type"] == "malformed"
    assert span.status.status_code is StatusCode.ERROR
    assert (span.status.description, span.events) == (None, ())


async def test_what_was_said_comes_only_when_it_is_asked_for(tmp_path: Path) -> None:
    history = (
        Message("user", "call a tool"),
        Message("assistant", None, tool_calls=(ToolCall("1", "look", "{}"),), reasoning="hm"),
        Message("tool", "nothing", tool_call_id="1"),
        Message("user", "call a tool again"),
    )
    request = ask(*history, tools=(Tool("look", "Looks.", {"type": "object"}),))
    (span,) = await trace(tmp_path, request, content=True)
    assert json.loads(words(span.attributes)["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "call a tool"}]},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "id": "1", "name": "look", "arguments": "{}"},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "nothing"}]},
        {"role": "user", "parts": [{"type": "text", "content": "call a tool again"}]},
    ]
    (output,) = json.loads(words(span.attributes)["gen_ai.output.messages"])
    assert (output["role"], output["finish_reason"], output["parts"][0]["name"]) == ("assistant", "tool_calls", "look")


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, None),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, None),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "console"}, None),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "'zipkin'; otlp and console are known"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "'grpc'; http/protobuf is spoken",
        ),
    ],
)
async def test_nothing_is_traced_unless_it_is_asked_for(
    environment: dict[str, str], told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    events: list[ModelState | Warned] = []
    async with open_tracing(events.append) as tracing:
        assert tracing is None
    assert [told in event.message for event in events if isinstance(event, Warned) and told] == [True] * bool(told)
    assert len(events) == bool(told)


async def test_the_environment_switches_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    monkeypatch.delenv("OTEL_SDK_DISABLED", raising=False)
    async with open_tracing(lambda event: None) as tracing:
        assert tracing is not None


async def test_a_collector_that_is_not_there_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with socket.socket() as held:  # bound, and nobody listens
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{held.getsockname()[1]}")
        monkeypatch.setattr("synth.models.open_tracing._LONGEST_FLUSH_SECONDS", 0.1)
        events: list[Any] = []
        async with open_tracing(events.append) as tracing:
            assert tracing is not None
            for _ in range(3):
                tracing._tracer.start_span("chat m").end()
        await asyncio.sleep(0)
    (event,) = events
    assert event.message.startswith("traces may be lost: ")
