"""Whether model calls are traced, and where the traces go: what the standard environment variables say.

Off, and without cost, unless one asks for it: ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or its form for traces alone), or
``OTEL_TRACES_EXPORTER=otlp|console``; in Python also where the program around us has set a tracer provider. What is
said comes with it only by ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from synth.models.progress import Report, Warned
from synth.models.tracing import Tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import TracerProvider

_CONTENT = frozenset({"true", "span_only", "span_and_event"})
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_LONGEST_FLUSH_SECONDS = 5.0
_INSTALL = "pip install 'synth[tracing]'"


@asynccontextmanager
async def open_tracing(report: Report) -> AsyncIterator[Tracing | None]:
    """What the environment asks for, or None; on leaving, what was traced is sent off."""
    content = os.environ.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "").lower() in _CONTENT
    wanted = _find_exporter()
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield None
    elif (around := _provider_around()) is not None:
        yield Tracing(around.get_tracer("synth"), content=content)
    elif wanted is None:
        yield None
    else:
        try:
            exporter = _make_exporter(wanted)
        except _NotTraced as reason:
            report(Warned(f"nothing is traced: {reason}"))
            yield None
            return
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        with _reporting(report):
            try:
                yield Tracing(provider.get_tracer("synth"), content=content)
            finally:
                flushing = asyncio.ensure_future(asyncio.to_thread(provider.shutdown))
                await asyncio.wait([flushing], timeout=_LONGEST_FLUSH_SECONDS)
                if not flushing.done():
                    exporter.shutdown()  # it would go on trying to reach a collector for half a minute
                await flushing


@contextmanager
def _reporting(report: Report) -> Iterator[None]:
    """Tell the first thing that the SDK logs, as one of ours; its further lines would run through the progress."""
    loop = asyncio.get_running_loop()
    logger = logging.getLogger("opentelemetry")
    handler = _First(lambda told: loop.call_soon_threadsafe(report, Warned(f"traces may be lost: {told}")))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _First(logging.Handler):
    def __init__(self, tell: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._tell: Callable[[str], object] | None = tell

    def emit(self, record: logging.LogRecord) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(record.getMessage()[:300])


class _NotTraced(Exception):
    """Why there can be no traces although they are asked for."""


def _find_exporter() -> str | None:
    named = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if named:
        return None if named == "none" else named
    return "otlp" if any(os.environ.get(name) for name in _ENDPOINTS) else None


def _make_exporter(name: str) -> SpanExporter:
    if name not in ("otlp", "console"):
        raise _NotTraced(f"OTEL_TRACES_EXPORTER is {name!r}; otlp and console are known")
    protocol = next((found for each in _PROTOCOLS if (found := os.environ.get(each))), "http/protobuf")
    if name == "otlp" and protocol != "http/protobuf":
        raise _NotTraced(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; http/protobuf is spoken (mostly at port 4318)")
    try:
        if name == "console":
            from opentelemetry.sdk.trace.export import ConsoleSpanExporter

            return ConsoleSpanExporter(out=sys.stderr)
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter: SpanExporter = OTLPSpanExporter()
    except ImportError as error:
        raise _NotTraced(f"{error.name} is not installed: {_INSTALL}") from error
    return exporter


def _provider_around() -> TracerProvider | None:
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    provider: TracerProvider = trace.get_tracer_provider()
    return None if isinstance(provider, trace.ProxyTracerProvider) else provider


def _resource() -> Resource:
    from opentelemetry.sdk.resources import Resource

    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create({} if named else {"service.name": "synth"})
