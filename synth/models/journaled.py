"""The caller that a run uses; see :mod:`synth.models.caller` for what it promises."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

from synth.errors import SynthError
from synth.messages import Message, StopReason, Usage
from synth.models.cache import Cache
from synth.models.caller import Amount, Budget, CallRecord, Journal, UnusableAnswer
from synth.models.client import Request, Response
from synth.models.model import Model
from synth.models.retry import send
from synth.models.tokens import most_input_tokens
from synth.models.tracing import Tracing

_NOTHING = Amount(0, 0.0)


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

    def __init__(
        self,
        models: Mapping[str, Model],
        journal: Journal,
        *,
        budget: Budget | None = None,
        cache: Cache | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._models = models
        self._journal = journal
        self._budget = budget
        self._cache = cache
        self._tracing = tracing
        self._under_way = 0
        self._ended = asyncio.Event()
        self.counts = CallCounts()

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        """See ``Caller.call``."""
        target = self._models[model]
        fingerprint = request.fingerprint(target.identity)
        call_id = f"{unit}/{key}"
        record = await self._journal.find_call(call_id, fingerprint, request)
        if record is not None:
            self.counts.replayed += 1
        elif (record := self._find_cached(target, request, call_id, unit, fingerprint)) is not None:
            await self._journal.record_call(record)
        else:
            self._under_way += 1
            try:
                record = await self._send(target, request, call_id, unit, fingerprint)
                try:
                    await self._journal.record_call(record)
                finally:
                    target.limiter.release()
            finally:
                self._under_way -= 1
                self._ended.set()
            if self._cache is not None:
                self._cache.put(_cache_key(target, request), record.response)
        return _usable(record)

    async def finish(self) -> None:
        """See ``RunCaller.finish``."""
        for model in self._models.values():
            model.limiter.close()
        while self._under_way:
            self._ended.clear()
            await self._ended.wait()

    def _find_cached(
        self, model: Model, request: Request, call_id: str, unit: str, fingerprint: str
    ) -> CallRecord | None:
        if self._cache is None:
            return None
        response = self._cache.get(_cache_key(model, request))
        if response is None:
            return None
        self.counts.cached += 1
        return CallRecord(call_id, unit, model.name, fingerprint, request, response, 0.0, 0.0, 0, "cache")

    async def _send(self, model: Model, request: Request, call_id: str, unit: str, fingerprint: str) -> CallRecord:
        budget = self._budget
        most = _NOTHING
        if model.limiter.counts_tokens or (budget is not None and budget.counts_tokens):
            most = _amount(model, Usage(most_input_tokens(request), request.sampling.max_tokens))
        if budget is not None:
            await budget.reserve(most)
        reserved, spent = True, _NOTHING
        wasted: list[Usage] = []

        async def pay(usage: Usage) -> None:
            nonlocal reserved
            wasted.append(usage)
            if budget is not None:
                budget.settle(most, _amount(model, usage))
                reserved = False
                await budget.reserve(most)
                reserved = True

        try:
            # Held until it is in the journal, so that no more than what the user allows is ever lost to a kill.
            sending = send(model, request, most.tokens, held=True, pay=pay)
            if self._tracing is not None:
                sending = self._tracing.trace(sending, model, request, unit=unit)
            sent = await sending
            spent = _amount(model, sent.response.usage)
        except SynthError:
            self.counts.failed += 1
            if wasted:
                await self._journal.record_call(_waste(model, request, call_id, unit, wasted))
            raise
        finally:
            if budget is not None and reserved:
                budget.settle(most, spent)
        self.counts.sent += 1
        self.counts.retried += sent.tries - 1
        response = replace(sent.response, usage=sum(wasted, sent.response.usage))
        cost = _cost(model, response.usage)
        return CallRecord(
            call_id, unit, model.name, fingerprint, request, response, cost, sent.seconds, sent.tries, "sent"
        )


def _cache_key(model: Model, request: Request) -> str:
    return request.fingerprint(f"{model.identity}@{model.address}")


def _cost(model: Model, usage: Usage) -> float | None:
    return None if model.price is None else model.price.cost(usage)


def _amount(model: Model, usage: Usage) -> Amount:
    return Amount(usage.total, _cost(model, usage) or 0.0)


def _waste(model: Model, request: Request, call_id: str, unit: str, wasted: list[Usage]) -> CallRecord:
    """What was paid for a call that got no answer. Its fingerprint is no request's: the call is sent again."""
    usage = sum(wasted, Usage())
    response = Response(Message("assistant"), usage, StopReason.STOP, model.name)
    cost = _cost(model, usage)
    return CallRecord(
        call_id, unit, model.name, f"none-{uuid4().hex}", request, response, cost, 0.0, len(wasted), "sent"
    )


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
