"""When a request may be sent: one limiter for all that goes to an endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from synth.errors import BudgetSpent, EndpointUnavailable, RunError, SynthError, TransientError
from synth.models.client import UselessAnswer
from synth.models.congestion import Congestion
from synth.models.flight import Flight
from synth.models.pause import Pause
from synth.models.progress import Report, Warned, ignore
from synth.models.quota import Quota

LONGEST_PAUSE = 3600.0
_LONG_PAUSE = 10.0
_LONG_REFUSED = 30.0
_TICK = 0.1
_SURE_AFTER = 0.25  # seconds without a refusal after which a request counts as admitted, until refusals tell better
_MOST_TIMEOUTS = 10  # for an answer, from its first part to its last
_IDLE_TIMEOUTS = 2  # overtaken by so many times what is in flight, a request is lost


class Limiter:
    """Lets requests go in the order they came, and learns from how each ends.

    ``ceiling`` is the most in flight, ``rpm`` and ``tpm`` the quotas where the user knows them. ``patience`` tells how
    many seconds the run may still last: a longer pause makes the endpoint unavailable, and when it is over nothing more
    is sent.

    ``report`` hears of it when the endpoint keeps everything waiting.

    A slow answer is no failure. A request is lost when nothing of its answer came for its ``timeout`` and either the
    endpoint answered nothing at all in that time or twice as many as are in flight have overtaken it; also when its
    answer has been coming in parts for ten times as long.
    """

    def __init__(
        self,
        where: str,
        ceiling: int,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
        patience: Callable[[], float] = lambda: LONGEST_PAUSE,
        clock: Callable[[], float] = time.monotonic,
        report: Report = ignore,
    ) -> None:
        self.congestion = Congestion(ceiling)
        self.where = where
        self._requests = Quota(rpm) if rpm is not None else None
        self._tokens = Quota(tpm) if tpm is not None else None
        self._patience = patience
        self._clock = clock
        self._report = report
        self._refused_since: float | None = None
        self._refusal = ""
        self._told = False
        self._pause = Pause()
        self._waiting: deque[tuple[asyncio.Future[Flight], asyncio.Task[object] | None, int, float]] = deque()
        self._flights: dict[int, Flight] = {}
        self._unsure: deque[Flight] = deque()
        self._sure_after = _SURE_AFTER
        self._held = 0
        self._closed = asyncio.Event()
        self._answered = 0
        self._failed_calls = 0
        self._last_answer = -math.inf
        self._pump_timer: asyncio.TimerHandle | None = None
        self._tick_timer: asyncio.TimerHandle | None = None

    @property
    def counts_tokens(self) -> bool:
        """Whether it matters what ``acquire`` is told of tokens."""
        return self._tokens is not None

    @property
    def in_flight(self) -> int:
        return len(self._flights)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def ever_answered(self) -> bool:
        """Whether anything came back, an error included."""
        return self._answered > 0

    @property
    def paused_for(self) -> float:
        """Seconds that the endpoint asked to be left alone from now on; 0 if it did not."""
        return self._pause.left(self._clock())

    @property
    def patience(self) -> float:
        """Seconds that the run may still last, ``LONGEST_PAUSE`` at most."""
        return self._patience()

    async def acquire(self, tokens: int, timeout: float) -> Flight:
        """Wait until a request of about ``tokens`` tokens may be sent, and count it as sent.

        It must end in ``succeeded``, ``failed`` or ``abandoned``. When it is lost the task that acquired it is
        cancelled, with ``lost`` set. Raises ``EndpointUnavailable``, ``BudgetSpent``, and ``RunError`` when closed.
        """
        task = asyncio.current_task()
        if self._closed.is_set():
            raise _closed()
        if self._patience() <= 0:
            raise _out_of_time()
        if not self._waiting:
            now = self._clock()
            if self._delay(now, tokens) <= 0:
                return self._send(now, task, tokens, timeout)
        future: asyncio.Future[Flight] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, task, tokens, timeout))
        if self._tick_timer is None:
            self._start_ticking()
        self._pump()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.abandoned(future.result())
            raise

    def succeeded(self, flight: Flight, tokens: int, *, held: bool = False) -> None:
        """The request was answered, and took ``tokens`` tokens.

        ``held``: it counts against the ceiling until ``release``, because its answer is not safe yet.
        """
        now = self._clock()
        self._land(flight, now)
        self._held += held
        self._failed_calls = 0
        self._refused_since, self._told = None, False
        if not flight.admitted:
            self.congestion.admit(flight, now, waiting=bool(self._waiting))
        if self._tokens is not None:
            self._tokens.give_back(flight.tokens - tokens)
        lifted = self._pause.answered(flight.number, now)
        if lifted:
            self.congestion.resumed(lifted)
        if self._waiting:
            self._pump()

    def failed(self, flight: Flight, error: TransientError) -> None:
        """The request failed in a way that says something of the endpoint."""
        now = self._clock()
        if error.kind in ("rate_limited", "overloaded"):
            self._land(flight, now)
            self._sure_after = max(0.05, min(2.0, max(self._sure_after * 0.9, 4 * (now - flight.sent_at))))
            asked = error.retry_after or 0.0
            paused = self._pause.begin(flight.number, now, asked) if asked else 0.0
            self.congestion.refuse(flight, now, len(self._flights), asked=asked, paused=paused)
            self._refusal = error.message
            if self._refused_since is None:
                self._refused_since = now
            self._tell_refused(now)
        elif error.kind in ("connection", "timeout"):
            del self._flights[flight.number]  # not a sign of life
        else:
            self._land(flight, now)
            if not flight.admitted:
                self.congestion.admit(flight, now, waiting=bool(self._waiting))
        if self._tokens is not None:
            used = error.usage.total if isinstance(error, UselessAnswer) else 0
            self._tokens.give_back(flight.tokens - used)
        self._pump()

    def abandoned(self, flight: Flight) -> None:
        """The request ended in a way that says nothing of the endpoint: refused for its content, or cancelled."""
        del self._flights[flight.number]
        self._pump()

    def release(self) -> None:
        """An answer that was held is safe, or lost."""
        self._held -= 1
        if self._waiting:
            self._pump()

    def close(self) -> None:
        """Let nothing more go. What is under way may end, but for a batch: it has no timeout, and is taken up again."""
        self._closed.set()
        self._refuse_all(_closed)
        for flight in self._flights.values():
            if flight.timeout == math.inf and flight.task is not None:
                flight.task.cancel()

    async def sleep(self, seconds: float) -> None:
        """Wait before another try, which there is no point in when nothing more may go."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()

    def count_failed_call(self) -> int:
        """A call is given up, all its tries spent; returns how many were since the last answer."""
        self._failed_calls += 1
        return self._failed_calls

    def note_progress(self) -> None:
        """Part of an answer arrived for the request that the current task sent."""
        task = asyncio.current_task()
        now = self._clock()
        for flight in self._flights.values():
            if flight.task is task:
                flight.first_sign = min(flight.first_sign, now)
                flight.last_sign = now

    def _tell_refused(self, now: float) -> None:
        """Say, once until the next answer, that the endpoint keeps everything waiting."""
        if self._refused_since is None or self._told:
            return
        paused = self._pause.left(now)
        if paused > self._patience() or any(flight.admitted for flight in self._flights.values()):
            return
        if paused > _LONG_PAUSE:
            self._report(Warned(f"{self._refusal}; it asks to wait {in_words(paused)}"))
        elif now - self._refused_since > _LONG_REFUSED:
            self._report(Warned(f"{self._refusal}; it refuses all requests for {_LONG_REFUSED:.0f} seconds, waiting"))
        else:
            return
        self._told = True

    def _delay(self, now: float, tokens: int) -> float:
        paused = self._pause.left(now)
        if paused:
            return paused
        in_flight = len(self._flights)
        if in_flight + self._held >= self.congestion.window.ceiling:
            return math.inf
        wait = self.congestion.delay(now, in_flight)
        if self._requests is not None:
            wait = max(wait, self._requests.delay(now, 1))
        if self._tokens is not None:
            wait = max(wait, self._tokens.delay(now, tokens))
        return wait

    def _send(self, now: float, task: asyncio.Task[object] | None, tokens: int, timeout: float) -> Flight:
        if self._requests is not None:
            self._requests.take(now, 1)
        if self._tokens is not None:
            self._tokens.take(now, tokens)
        number = self.congestion.sent(now)
        flight = Flight(number, len(self._flights) + 1, self._answered, now, tokens, timeout, task)
        self._flights[number] = flight
        self._unsure.append(flight)
        if self._tick_timer is None:
            self._start_ticking()
        return flight

    def _land(self, flight: Flight, now: float) -> None:
        del self._flights[flight.number]
        self._answered += 1
        self._last_answer = now

    def _pump(self) -> None:
        """Let go what may go, and set a timer for the next."""
        if self._pump_timer is not None:
            self._pump_timer.cancel()
            self._pump_timer = None
        waiting = self._waiting
        now = self._clock()
        while waiting:
            future, task, tokens, timeout = waiting[0]
            if future.done():
                waiting.popleft()
                continue
            wait = self._delay(now, tokens)
            if wait <= 0:
                waiting.popleft()
                future.set_result(self._send(now, task, tokens, timeout))
                continue
            paused = self._pause.left(now)
            if paused and paused > self._patience() and not self._flights:
                self._refuse_all(partial(self._unavailable, paused))
            elif wait != math.inf:
                self._pump_timer = asyncio.get_running_loop().call_later(wait, self._pump)
            return

    def _unavailable(self, seconds: float) -> EndpointUnavailable:
        return EndpointUnavailable(
            f"{self.where} asks to wait {in_words(seconds)} before the next request, longer than this run may last",
            hint="run the same command again later: it resumes",
        )

    def _refuse_all(self, error: Callable[[], SynthError]) -> None:
        while self._waiting:
            future, *_ = self._waiting.popleft()
            if not future.done():
                future.set_exception(error())

    # -- signs of life

    def _tick(self) -> None:
        now = self._clock()
        self._make_sure(now)
        self._find_lost(now)
        self._tell_refused(now)
        if self._waiting and self._patience() <= 0:
            self._refuse_all(_out_of_time)
        if self._waiting:
            self._pump()
        self._tick_timer = None
        if self._flights or self._waiting:
            self._start_ticking()

    def _start_ticking(self) -> None:
        self._tick_timer = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _make_sure(self, now: float) -> None:
        unsure = self._unsure
        while unsure and (unsure[0].number not in self._flights or now - unsure[0].sent_at > self._sure_after):
            flight = unsure.popleft()
            if flight.number in self._flights and not flight.admitted:
                # It still keeps its place, so doubling takes two: one for another like it, one for growth.
                self.congestion.admit(flight, now, waiting=bool(self._waiting), steps=2)

    def _find_lost(self, now: float) -> None:
        for flight in self._flights.values():
            endless = now - flight.first_sign > _MOST_TIMEOUTS * flight.timeout
            if flight.lost or (now - flight.last_sign <= flight.timeout and not endless):
                continue
            silent = now - max(self._last_answer, flight.sent_at) > flight.timeout
            overtaken = self._answered - flight.answered - flight.place + 1
            if endless or silent or overtaken >= _IDLE_TIMEOUTS * len(self._flights):
                flight.lost = True
                if silent and not endless:
                    self.congestion.stalled(flight)
                if flight.task is not None:
                    flight.task.cancel()


def _closed() -> RunError:
    return RunError("the run is ending")


def _out_of_time() -> BudgetSpent:
    return BudgetSpent("minutes", "budget.minutes is over")


def in_words(seconds: float) -> str:
    """A time to wait, as messages say it."""
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
