"""Sending until an answer comes: which failures are tried again, how often and after how long.

A busy server is no failure: rate limits and overload are waited out for as long as the run may last, and no wait is
longer than that. Everything else that may pass is tried a few times. Waits are drawn with full jitter (Brooker,
"Exponential Backoff And Jitter", 2015), so that requests which failed together do not come back together; how much is
sent at all is the limiter's matter.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from synth.errors import FatalModelError, ResponseError, TransientError
from synth.messages import Usage
from synth.models.client import Request, Response, UselessAnswer
from synth.models.limiter import Limiter
from synth.models.model import Model

MOST_TRIES = 6
MOST_CONNECTION_TRIES = 12  # a server that is started again takes a minute or two
MOST_FAILED_CALLS = 20
_LONGEST_WAIT = 30.0
_LONGEST_BUSY_WAIT = 1.0
_FIRST_WAITS = {  # doubled with each failure of the same kind in one call
    "malformed": 0.02,
    "timeout": 0.05,  # its timeout was a wait already
    "connection": 0.05,
    "rate_limited": 0.05,
    "overloaded": 0.05,
    "server_error": 0.1,
}
_BUSY = frozenset({"rate_limited", "overloaded"})


class Sent(NamedTuple):
    """An answer, the requests it took, and the seconds from the last one's sending to it."""

    response: Response
    tries: int
    seconds: float


Pay = Callable[[Usage], Awaitable[None]]
"""Pays for a try that cost something for nothing; what it raises ends the call."""


async def _pay_nothing(usage: Usage) -> None:
    pass


async def send(model: Model, request: Request, tokens: int, *, held: bool = False, pay: Pay = _pay_nothing) -> Sent:
    """Send ``request`` (of at most ``tokens`` tokens in all) to ``model`` until it is answered.

    ``held``: what is answered counts as in flight until the caller releases it at the limiter. ``pay`` is awaited after
    each answer that is of no use, before the next try.

    Raises ``TransientError`` when the tries are spent, ``ResponseError`` for what will be refused again,
    ``FatalModelError`` also when calls fail one after the other with no answer in between, and what the limiter raises.
    """
    try:
        return await _send(model, request, tokens, held, pay)
    except (TransientError, ResponseError) as error:
        _count_failure(model, error)
        raise


async def _send(model: Model, request: Request, tokens: int, held: bool, pay: Pay) -> Sent:
    try:  # nearly every call ends here, so it does not pay for the machinery below
        return await _try_once(model, request, tokens, 1, held)
    except TransientError as error:
        first = error
        await _after(model, error, pay)
    policy = _Policy(model.limiter)
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(TransientError),
        wait=policy.wait,
        stop=policy.stop,
        sleep=model.limiter.sleep,
        reraise=True,
    ):
        with attempt:
            tries = attempt.retry_state.attempt_number
            if tries == 1:
                raise first
            try:
                return await _try_once(model, request, tokens, tries, held)
            except TransientError as error:
                _check_ever_answered(model, error)
                await _after(model, error, pay)
                raise
    raise AssertionError("tenacity neither returned nor raised")


async def _try_once(model: Model, request: Request, tokens: int, tries: int, held: bool) -> Sent:
    limiter = model.limiter
    flight = await limiter.acquire(tokens, model.timeout)
    started = time.monotonic()
    try:
        response = await model.client.complete(request)
    except TransientError as error:
        limiter.failed(flight, error)
        raise
    except asyncio.CancelledError:
        if not flight.lost:
            limiter.abandoned(flight)
            raise
        task = asyncio.current_task()
        assert task is not None
        if task.uncancel() > 0:  # someone else cancelled as well, and means it
            limiter.abandoned(flight)
            raise
        lost = TransientError(f"{limiter.where} did not answer within {model.timeout:g} s", kind="timeout")
        limiter.failed(flight, lost)
        raise lost from None
    except BaseException:  # also a cancellation: the place is given back, and the error goes on
        limiter.abandoned(flight)
        raise
    limiter.succeeded(flight, response.usage.total, held=held)
    return Sent(response, tries, time.monotonic() - started)


def _check_ever_answered(model: Model, error: TransientError) -> None:
    """One silence may be a model being loaded; two from an endpoint that never said a word are a mistake to mend."""
    limiter = model.limiter
    if error.kind == "timeout" and math.isfinite(model.timeout) and not limiter.ever_answered:
        raise FatalModelError(
            f"{limiter.where} accepts connections and has answered nothing, twice for {model.timeout:g} s",
            hint="look at the server and its log; give the model a longer `timeout` if it is only slow",
        ) from error


async def _after(model: Model, error: TransientError, pay: Pay) -> None:
    """What a failed try entails before another may follow."""
    if isinstance(error, UselessAnswer):
        await pay(error.usage)
    if model.server is not None and error.kind in ("connection", "server_error", "timeout"):
        await model.server.ensure_alive()


def _count_failure(model: Model, error: TransientError | ResponseError) -> None:
    """Stop a run whose calls all fail: the next attempts would only burn what is left of it."""
    if error.kind in ("context_length", "content_filter"):
        return  # it is the request's fault
    if model.limiter.count_failed_call() < MOST_FAILED_CALLS:
        return
    raise FatalModelError(
        f"{MOST_FAILED_CALLS} calls in a row failed at {model.limiter.where}; the last: {error.message}",
        hint=error.hint or "look at the server and its log, then run the same command again: it resumes",
    ) from error


class _Policy:
    """Tenacity's ``wait`` and ``stop`` for one call."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._kinds: Counter[str] = Counter()

    def stop(self, state: RetryCallState) -> bool:
        kind = _error_of(state).kind
        self._kinds[kind] += 1
        failures = sum(count for each, count in self._kinds.items() if each not in _BUSY)
        return kind not in _BUSY and failures >= (MOST_CONNECTION_TRIES if kind == "connection" else MOST_TRIES)

    def wait(self, state: RetryCallState) -> float:
        error = _error_of(state)
        left = max(0.0, self._limiter.patience)
        if self._limiter.paused_for > left:
            return 0.0  # the limiter ends the call, unless the endpoint contradicts itself first
        asked = error.retry_after or 0.0
        if asked > left:
            asked = 0.0  # it is no pause of the endpoint's, so it tells nothing of the other requests
        backoff = _FIRST_WAITS[error.kind] * 2.0 ** min(self._kinds[error.kind], 20)
        if error.kind in _BUSY:
            return asked or random.uniform(0, min(left, _LONGEST_BUSY_WAIT, backoff))
        return max(asked, random.uniform(0, min(left, _LONGEST_WAIT, backoff)))


def _error_of(state: RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, TransientError)
    return error
