"""The caller that a run uses; see :mod:`synth.models.caller` for what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synth.errors import SynthError
from synth.messages import StopReason, Usage
from synth.models.cache import Cache
from synth.models.caller import Amount, Budget, CallRecord, Journal, UnusableAnswer
from synth.models.client import Request
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
            record = await self._send(target, request, call_id, unit, fingerprint)
            try:
                await self._journal.record_call(record)
            finally:
                target.limiter.release()
            if self._cache is not None:
                self._cache.put(_cache_key(target, request), record.response)
        return _usable(record)

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
        budget, price = self._budget, model.price
        most = _NOTHING
        if model.limiter.counts_tokens or (budget is not None and budget.counts_tokens):
            usage = Usage(most_input_tokens(request), request.sampling.max_tokens)
            most = Amount(usage.total, 0.0 if price is None else price.cost(usage))
        if budget is not None:
            await budget.reserve(most)
        spent = _NOTHING
        try:
            # Held until it is in the journal, so that no more than what the user allows is ever lost to a kill.
            sending = send(model, request, most.tokens, held=True)
            if self._tracing is not None:
                sending = self._tracing.trace(sending, model, request, unit=unit)
            sent = await sending
            used = sent.response.usage
            cost = None if price is None else price.cost(used)
            spent = Amount(used.total, cost or 0.0)
        except SynthError:
            self.counts.failed += 1
            raise
        finally:
            if budget is not None:
                budget.settle(most, spent)
        self.counts.sent += 1
        self.counts.retried += sent.tries - 1
        return CallRecord(
            call_id, unit, model.name, fingerprint, request, sent.response, cost, sent.seconds, sent.tries, "sent"
        )


def _cache_key(model: Model, request: Request) -> str:
    return request.fingerprint(f"{model.identity}@{model.address}")


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
