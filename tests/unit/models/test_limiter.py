"""The limiter against simulated endpoints, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from synth.errors import BudgetSpent, EndpointUnavailable, TransientError
from synth.models.limiter import Limiter
from tests.unit.models.embedded.toy import Events
from tests.virtual_time import run_virtually

TRIP = 0.002


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Endpoint:
    """Answers after ``latency``, and refuses beyond its limits; ``jitter`` is the random share of the latency."""

    latency: float = 0.05
    jitter: float = 0.0
    places: int | None = None
    rate: float | None = None
    burst: float = 10
    per_second: int | None = None
    sliding: int | None = None
    noise: float = 0.0
    retry_after: float | None = None
    answered: int = 0
    refused: int = 0
    inside: int = 0
    level: float = -1
    level_at: float = 0.0
    recent: deque[float] = field(default_factory=deque)
    rng: random.Random = field(default_factory=lambda: random.Random(0))

    async def request(self) -> None:
        await asyncio.sleep(TRIP / 2 * (1 + self.rng.random() / 2))
        if not self.admits():
            self.refused += 1
            await asyncio.sleep(TRIP / 2)
            raise TransientError("busy", kind="rate_limited", retry_after=self.retry_after)
        self.inside += 1
        await asyncio.sleep(self.latency * (1 + self.jitter * (self.rng.expovariate(1) - 1)))
        self.inside -= 1
        self.answered += 1
        await asyncio.sleep(TRIP / 2)

    def admits(self) -> bool:
        if self.rng.random() < self.noise:
            return False
        if self.places is not None and self.inside >= self.places:
            return False
        if self.rate is not None:
            self.level = self.burst if self.level < 0 else self.level
            self.level = min(self.burst, self.level + (now() - self.level_at) * self.rate)
            self.level_at = now()
            if self.level < 1 - 1e-9:
                return False
            self.level -= 1
        window = self.per_second or self.sliding
        if window is not None:
            began = float(int(now())) if self.per_second else now() - 1
            while self.recent and self.recent[0] < began:
                self.recent.popleft()
            if len(self.recent) >= window:
                return False
            self.recent.append(now())
        return True

    @property
    def share_refused(self) -> float:
        return self.refused / (self.refused + self.answered)


async def work(request: Callable[[], Awaitable[None]], count: int, limiter: Limiter, rng: random.Random) -> float:
    """Get ``count`` answers with 128 workers, waiting a little after a refusal; the seconds that it took."""
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            while True:
                flight = await limiter.acquire(0, 600)
                try:
                    await request()
                except TransientError as error:
                    limiter.failed(flight, error)
                    await asyncio.sleep(error.retry_after or rng.uniform(0, 0.3))
                    continue
                limiter.succeeded(flight, 0)
                break

    began = now()
    await asyncio.gather(*(worker() for _ in range(128)))
    return now() - began


def make(endpoint: Endpoint, count: int, ceiling: int = 128) -> float:
    async def main() -> float:
        limiter = Limiter("e", ceiling, clock=now)
        return await work(endpoint.request, count, limiter, endpoint.rng)

    return run_virtually(main())


@pytest.mark.parametrize("latency", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("burst", [15, 150])
def test_a_rate_is_learnt(burst: float, latency: float) -> None:
    endpoint = Endpoint(rate=150, burst=burst, latency=latency, jitter=0.3)
    assert make(endpoint, 1500) <= 1.15 * 10
    assert endpoint.share_refused <= 0.05


def test_a_quota_of_each_second_is_spread_over_it() -> None:
    endpoint = Endpoint(per_second=150)
    assert make(endpoint, 1500) <= 1.15 * 10
    assert endpoint.share_refused <= 0.05


def test_a_quota_of_any_second_is_spread_over_it() -> None:
    endpoint = Endpoint(sliding=150)
    assert make(endpoint, 1500) <= 1.15 * 10
    assert endpoint.share_refused <= 0.05


@pytest.mark.parametrize("jitter", [0.0, 0.5])
@pytest.mark.parametrize("latency", [0.2, 5.0])
def test_a_number_of_places_is_learnt(latency: float, jitter: float) -> None:
    endpoint = Endpoint(places=32, latency=latency, jitter=jitter)
    assert make(endpoint, 1500) <= 1.15 * 1500 / 32 * latency
    assert endpoint.share_refused <= 0.03


def test_places_and_a_rate_together_are_learnt() -> None:
    endpoint = Endpoint(places=32, latency=0.2, rate=100)
    assert make(endpoint, 1500) <= 1.15 * 15
    assert endpoint.share_refused <= 0.05


@pytest.mark.parametrize("seed", range(3))
def test_a_retry_after_of_a_second_costs_few_pauses(seed: int) -> None:
    endpoint = Endpoint(places=32, latency=0.2, retry_after=1, rng=random.Random(seed))
    assert make(endpoint, 1500) <= 1.15 * 1500 / 32 * 0.2
    assert endpoint.share_refused <= 0.02


@pytest.mark.parametrize("seed", range(3))
def test_a_retry_after_of_a_second_costs_one_pause_where_a_rate_is_the_limit(seed: int) -> None:
    endpoint = Endpoint(rate=150, burst=15, retry_after=1, rng=random.Random(seed))
    assert make(endpoint, 1500) <= 1.15 * 10
    assert endpoint.share_refused <= 0.03


@pytest.mark.parametrize("seed", range(3))
def test_an_endpoint_that_refuses_a_third_of_all_whatever_is_sent_is_not_approached_ever_more_slowly(seed: int) -> None:
    endpoint = Endpoint(noise=0.3, retry_after=1, rng=random.Random(seed))
    assert make(endpoint, 1500) <= 40


def test_refusals_that_follow_no_load_do_not_slow_down() -> None:
    endpoint = Endpoint(noise=0.1)
    seconds = make(endpoint, 4000, ceiling=64)
    assert seconds <= 1.5 * 4000 / 0.9 / 64 * (0.05 + TRIP)


def test_an_endpoint_without_limits_is_used_to_the_ceiling() -> None:
    endpoint = Endpoint()
    assert make(endpoint, 10_000) <= 1.1 * 10_000 / 128 * (0.05 + TRIP)


def test_a_slow_endpoint_is_filled_within_seconds_and_not_within_answers() -> None:
    inside = []

    async def main() -> None:
        endpoint = Endpoint(latency=60)
        limiter = Limiter("e", 128, clock=now)
        running = asyncio.create_task(work(endpoint.request, 128, limiter, endpoint.rng))
        await asyncio.sleep(2)
        inside.append(endpoint.inside)
        await running

    run_virtually(main())
    assert inside == [128]


def test_a_pause_holds_all_back_until_the_endpoint_contradicts_itself() -> None:
    async def main() -> tuple[float, float]:
        limiter = Limiter("e", 8, clock=now)
        refused, later = await limiter.acquire(0, 60), await limiter.acquire(0, 60)
        await asyncio.sleep(0.01)
        limiter.failed(refused, TransientError("busy", kind="rate_limited", retry_after=30))
        waiting = asyncio.create_task(limiter.acquire(0, 60))
        await asyncio.sleep(5)
        assert not waiting.done()
        paused = limiter.paused_for
        limiter.succeeded(later, 0)
        await waiting
        return paused, now()

    paused, lifted_at = run_virtually(main())
    assert 24 < paused < 26
    assert 5 < lifted_at < 6


def test_a_pause_longer_than_the_run_makes_the_endpoint_unavailable_once_nothing_is_under_way() -> None:
    async def main() -> None:
        limiter = Limiter("e", 8, clock=now, patience=lambda: 60)
        answered, refused = await limiter.acquire(0, 60), await limiter.acquire(0, 60)
        limiter.failed(refused, TransientError("busy", kind="rate_limited", retry_after=90))
        waiting = asyncio.create_task(limiter.acquire(0, 60))
        await asyncio.sleep(1)
        assert not waiting.done()
        limiter.succeeded(answered, 0)  # it was sent before the refused one, so it says nothing of the pause
        with pytest.raises(EndpointUnavailable, match="e asks to wait 89 seconds before the next request"):
            await waiting
        await asyncio.sleep(100)
        limiter.succeeded(await limiter.acquire(0, 60), 0)

    run_virtually(main())


@pytest.mark.parametrize(
    ("asked", "every", "told"),
    [
        (20.0, 21.0, "e answered 429; it asks to wait 20 seconds"),
        (None, 2.0, "e answered 429; it refuses all requests for 30 seconds, waiting"),
        (1.0, 1.0, "e answered 429; it refuses all requests for 30 seconds, waiting"),
    ],
)
def test_an_endpoint_that_keeps_everything_waiting_is_told_of_once_until_it_answers(
    asked: float | None, every: float, told: str
) -> None:
    async def main() -> None:
        events = Events()
        limiter = Limiter("e", 8, clock=now, report=events)
        for spell in (1, 2):
            for _ in range(40):
                flight = await limiter.acquire(0, 60)
                limiter.failed(flight, TransientError("e answered 429", kind="rate_limited", retry_after=asked))
                await asyncio.sleep(every)
            assert (events.warnings[0], len(events.warnings)) == (told, spell)
            limiter.succeeded(await limiter.acquire(0, 60), 0)

    run_virtually(main())


def test_an_endpoint_that_is_full_of_slow_answers_refuses_not_all() -> None:
    async def main() -> None:
        events = Events()
        limiter = Limiter("e", 8, clock=now, report=events)
        _, *refused = [await limiter.acquire(0, 600) for _ in range(3)]
        for flight in refused:
            await asyncio.sleep(40)
            limiter.failed(flight, TransientError("e answered 429", kind="rate_limited"))
        assert events.warnings == []

    run_virtually(main())


def test_an_answer_that_never_comes_to_an_end_is_lost() -> None:
    async def main() -> None:
        limiter = Limiter("e", 8, clock=now)
        flight = await limiter.acquire(0, 60)
        try:
            while now() < 10_000:
                await asyncio.sleep(50)
                limiter.note_progress()
        except asyncio.CancelledError:
            assert flight.lost
        assert now() == pytest.approx(50 + 10 * 60, abs=1)

    run_virtually(main())


def test_nothing_is_sent_after_the_time_is_over() -> None:
    async def main() -> None:
        began = now()
        limiter = Limiter("e", 1, clock=now, patience=lambda: 10 - (now() - began))
        flight = await limiter.acquire(0, 60)
        waiting = asyncio.create_task(limiter.acquire(0, 60))
        with pytest.raises(BudgetSpent, match="minutes"):
            await waiting
        limiter.succeeded(flight, 0)
        with pytest.raises(BudgetSpent):
            await limiter.acquire(0, 60)

    run_virtually(main())


def test_an_answer_that_is_held_keeps_its_place_and_is_no_pause() -> None:
    async def main() -> None:
        began = now()
        limiter = Limiter("e", 1, clock=now, patience=lambda: 1.03 - (now() - began))
        limiter.succeeded(await limiter.acquire(0, 60), 0, held=True)
        waiting = asyncio.create_task(limiter.acquire(0, 60))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        limiter.release()
        flight = await waiting
        late = asyncio.create_task(limiter.acquire(0, 60))
        await asyncio.sleep(0.55)
        limiter.succeeded(flight, 0, held=True)
        with pytest.raises(BudgetSpent, match="minutes"):  # not that the endpoint asks to wait
            await late

    run_virtually(main())


def test_what_waits_is_sent_in_the_order_it_came_and_gives_its_place_up_when_cancelled() -> None:
    async def main() -> list[int]:
        limiter = Limiter("e", 1, clock=now)
        order: list[int] = []

        async def one(number: int) -> None:
            flight = await limiter.acquire(0, 60)
            order.append(number)
            await asyncio.sleep(1)
            limiter.succeeded(flight, 0)

        tasks = [asyncio.create_task(one(number)) for number in range(5)]
        await asyncio.sleep(0.5)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert limiter.in_flight == 0
        return order

    assert run_virtually(main()) == [0, 1, 3, 4]


async def answer_after(limiter: Limiter, seconds: float, timeout: float = 10) -> str:
    flight = await limiter.acquire(0, timeout)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if not flight.lost:
            raise
        limiter.failed(flight, TransientError("lost", kind="timeout"))
        return "lost"
    limiter.succeeded(flight, 0)
    return "answered"


def test_a_slow_answer_is_waited_for_while_others_come() -> None:
    async def main() -> str:
        limiter = Limiter("e", 8, clock=now)
        slow = asyncio.create_task(answer_after(limiter, 100))
        for _ in range(12):  # fewer than twice what is in flight come after it
            await answer_after(limiter, 9 * 0.9)
            if slow.done():
                break
        return await slow

    # Each answer after it overtakes it, and two in flight are overtaken by four: it is lost, but not before.
    assert run_virtually(main()) == "lost"


def test_one_answer_in_silence_is_waited_for_no_longer_than_its_timeout() -> None:
    async def main() -> tuple[list[str], float]:
        limiter = Limiter("e", 8, clock=now)
        results = await asyncio.gather(*(answer_after(limiter, seconds) for seconds in (1, 5, 14, 1000)))
        return list(results), now()

    results, ended = run_virtually(main())
    assert results == ["answered", "answered", "answered", "lost"]
    assert 24 <= ended <= 25


def test_progress_is_a_sign_of_life() -> None:
    async def main() -> str:
        limiter = Limiter("e", 8, clock=now)

        async def dribble() -> str:
            flight = await limiter.acquire(0, 10)
            for _ in range(20):
                await asyncio.sleep(5)
                limiter.note_progress()
            limiter.succeeded(flight, 0)
            return "answered"

        return await dribble()

    assert run_virtually(main()) == "answered"


def test_requests_per_minute_hold_in_every_minute() -> None:
    sent: list[float] = []

    async def request() -> None:
        sent.append(now())
        await asyncio.sleep(0.1)

    async def main() -> float:
        return await work(request, 1000, Limiter("e", 64, rpm=300, clock=now), random.Random(0))

    seconds = run_virtually(main())
    assert max(sum(start <= at < start + 60 for at in sent) for start in sent) <= 300
    assert seconds <= 1.05 * 1000 / 300 * 60


def test_tokens_per_minute_are_reserved_and_settled() -> None:
    used: list[tuple[float, int]] = []

    async def main() -> float:
        limiter = Limiter("e", 64, tpm=60_000, clock=now)

        async def one() -> None:
            flight = await limiter.acquire(1000, 60)
            used.append((now(), 400))
            await asyncio.sleep(1)
            limiter.succeeded(flight, 400)

        await asyncio.gather(*(one() for _ in range(600)))
        return now()

    seconds = run_virtually(main())
    most = max(sum(tokens for at, tokens in used if start <= at < start + 60) for start, _ in used)
    assert most <= 60_000
    assert seconds <= 1.1 * 600 * 400 / 60_000 * 60
