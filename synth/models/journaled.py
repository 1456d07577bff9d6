"""The caller that a run uses; see :mod:`synth.models.caller` for what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synth.errors import SynthError
from synth.messages import StopReason, Usage
from synth.models.caller import CallRecord, Journal, UnusableAnswer
from synth.models.client import Request
from synth.models.model import Model
from synth.models.retry import send
from synth.models.tokens import most_tokens


@dataclass(slots=True)
class CallCounts:
    """For ``summary.json``. ``sent`` counts calls that were answered by a model, ``retried`` the requests beyond the
    first of each, ``replayed`` answers from the journal, ``cached`` answers from the cache, ``failed`` calls given up.
    """

    sent: int = 0
    retried: int = 0
    replayed: int = 0
    cached: int = 0
    failed: int = 0


class JournaledCaller:
    """Calls the recipe's models by name. One instance serves a whole run."""

    def __init__(self, models: Mapping[str, Model], journal: Journal) -> None:
        self._models = models
        self._journal = journal
        self.counts = CallCounts()

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        """See ``Caller.call``."""
        target = self._models[model]
        fingerprint = request.fingerprint(target.identity)
        call_id = f"{unit}/{key}"
        record = await self._journal.find_call(call_id, fingerprint, request)
        if record is not None:
            self.counts.replayed += 1
            return _usable(record)
        record = await self._send(target, request, call_id, unit, fingerprint)
        await self._journal.record_call(record)
        return _usable(record)

    async def _send(self, model: Model, request: Request, call_id: str, unit: str, fingerprint: str) -> CallRecord:
        try:
            sent = await send(model, request, _reserved(request).total)
        except SynthError:
            self.counts.failed += 1
            raise
        self.counts.sent += 1
        self.counts.retried += sent.tries - 1
        return CallRecord(
            id=call_id,
            unit=unit,
            model=model.name,
            fingerprint=fingerprint,
            request=request,
            response=sent.response,
            cost_usd=None if model.price is None else model.price.cost(sent.response.usage),
            seconds=sent.seconds,
            tries=sent.tries,
            source="sent",
        )


def _reserved(request: Request) -> Usage:
    """An upper bound of what ``request`` may use."""
    size = sum(most_tokens((message.content or "").encode()) for message in request.messages)
    return Usage(size, request.sampling.max_tokens)


def _usable(record: CallRecord) -> CallRecord:
    """``record`` itself; raises ``UnusableAnswer`` where what was answered is no whole answer."""
    response = record.response
    if response.stop is StopReason.LENGTH:
        told = f"the answer was cut off at {response.usage.output} tokens (max_tokens is {_max_tokens(record)})"
        raise UnusableAnswer(told, kind="length", record=record)
    if response.stop is StopReason.CONTENT_FILTER:
        raise UnusableAnswer("the endpoint's content filter stopped the answer", kind="content_filter", record=record)
    message = response.message
    if not message.tool_calls and not (message.content and message.content.strip()):
        raise UnusableAnswer("the answer is empty", kind="empty", record=record)
    return record


def _max_tokens(record: CallRecord) -> int:
    return record.request.sampling.max_tokens
