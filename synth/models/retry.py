"""Sending until an answer comes: which failures are tried again, how often and after how long.

A busy server is no failure: rate limits and overload are waited out for as long as the run may last. Everything else
that may pass is tried ``MOST_TRIES`` times. Waits are drawn with full jitter (Brooker, "Exponential Backoff And
Jitter", 2015), so that requests which failed together do not come back together.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from synth.errors import TransientError
from synth.models.client import Request, Response
from synth.models.model import Model

MOST_TRIES = 6
_PATIENT = frozenset({"rate_limited", "overloaded"})
_FIRST_WAIT = {"connection": 0.1, "malformed": 0.05, "timeout": 0.5, "server_error": 0.5}
_FIRST_BUSY_WAIT = 0.25
_LONGEST_WAIT = 30.0


@dataclass(slots=True)
class Sent:
    """An answer, the requests it took, and the seconds from the last one's sending to it."""

    response: Response
    tries: int
    seconds: float


async def send(model: Model, request: Request, tokens: int) -> Sent:
    """Send ``request`` (of about ``tokens`` tokens in all) to ``model`` until it is answered.

    Raises ``TransientError`` when the tries are spent; ``ResponseError`` and ``FatalModelError`` at once.
    """
    started = time.monotonic()
    try:  # nearly every call ends here, so it does not pay for the machinery below
        response = await _try_once(model, request, tokens)
        return Sent(response, 1, time.monotonic() - started)
    except TransientError as error:
        first = error
    tries = 1
    await _revive(model, first)
    policy = _Policy(first)
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(TransientError), wait=policy.wait, stop=policy.stop, reraise=True
    ):
        with attempt:
            if tries == 1:  # the failure that brought us here is the first attempt
                tries += 1
                raise first
            started = time.monotonic()
            try:
                response = await _try_once(model, request, tokens)
            except TransientError as error:
                tries += 1
                await _revive(model, error)
                raise
            return Sent(response, tries, time.monotonic() - started)
    raise AssertionError("tenacity neither returned nor raised")


async def _try_once(model: Model, request: Request, tokens: int) -> Response:
    limiter = model.limiter
    flight = await limiter.acquire(tokens)
    try:
        response = await model.client.complete(request)
    except TransientError as error:
        limiter.failed(flight, error)
        raise
    except BaseException:
        limiter.abandoned(flight)
        raise
    limiter.succeeded(flight, response.usage.total)
    return response


async def _revive(model: Model, error: TransientError) -> None:
    if model.server is not None and error.kind in ("connection", "server_error", "timeout"):
        await model.server.ensure_alive()


class _Policy:
    """Tenacity's ``wait`` and ``stop`` for one call."""

    def __init__(self, first: TransientError) -> None:
        self._failures = 0
        self._busy = 0

    def stop(self, state: RetryCallState) -> bool:
        error = _error_of(state)
        if error.kind in _PATIENT:
            self._busy += 1
            return False
        self._failures += 1
        return self._failures >= MOST_TRIES

    def wait(self, state: RetryCallState) -> float:
        error = _error_of(state)
        if error.kind in _PATIENT:
            if error.retry_after is not None:
                return error.retry_after
            return random.uniform(0, min(_LONGEST_WAIT, _FIRST_BUSY_WAIT * 2.0 ** min(self._busy, 20)))
        backoff = _FIRST_WAIT.get(error.kind, 0.5) * 2.0**self._failures
        return max(error.retry_after or 0.0, random.uniform(0, min(_LONGEST_WAIT, backoff)))


def _error_of(state: RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, TransientError)
    return error
