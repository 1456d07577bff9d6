"""What a call waits for and what is paid for its tries, in virtual time."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import pytest

from synth.budget import Budget
from synth.errors import BudgetSpent, EndpointUnavailable, RunError, SynthError, TransientError
from synth.messages import Message, StopReason, Usage
from synth.models.caller import CallRecord
from synth.models.client import Request, Response, Sampling, UselessAnswer
from synth.models.journaled import JournaledCaller
from synth.models.limiter import Limiter
from synth.models.model import Model
from synth.models.prices import Price
from synth.models.retry import send
from synth.recipe.schema import BudgetSpec
from tests.memory_journal import MemoryJournal
from tests.virtual_time import run_virtually

ASK = Request((Message("user", "hi"),), Sampling(max_tokens=100))
OK = Response(Message("assistant", "ok"), Usage(10, 5), StopReason.STOP, "m")


class Client:
    """Raises or returns what is next, the last of it for ever."""

    def __init__(self, *answers: Response | SynthError) -> None:
        self.answers = deque(answers)
        self.sent_at: list[float] = []

    async def complete(self, request: Request) -> Response:
        self.sent_at.append(now())
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SynthError):
            raise answer
        return answer

    async def aclose(self) -> None:
        pass


def now() -> float:
    return asyncio.get_running_loop().time()


def model(client: Client, patience: Callable[[], float] = lambda: 3600, tpm: float | None = None) -> Model:
    limiter = Limiter("e", 8, clock=now, patience=patience, tpm=tpm)
    return Model("m", "openai:m", "", client, limiter, Price(1e6, 1e6), 120)


def useless(tokens: int = 1010) -> UselessAnswer:
    return UselessAnswer("no choice", Usage(tokens - 1000, 1000))


def until(seconds: float) -> Callable[[], float]:
    """The patience of a run that lasts so long."""
    return lambda: min(3600, seconds - now())


@pytest.mark.parametrize("asked", [600, 86_400])
def test_one_failure_that_asks_for_longer_than_the_run_ends_no_run(asked: float) -> None:
    async def main() -> list[float]:
        client = Client(TransientError("no", kind="server_error", retry_after=asked))
        with pytest.raises(TransientError, match="no"):
            await send(model(client, until(60)), ASK, 0)
        return client.sent_at

    sent_at = run_virtually(main())
    assert len(sent_at) == 6
    assert 0 < sent_at[-1] < 60


def test_a_refusal_that_the_endpoint_contradicts_is_tried_again_whatever_it_asks_for() -> None:
    async def main() -> float:
        client = Client(TransientError("busy", kind="rate_limited", retry_after=600), OK)
        target = model(client, until(60))
        limiter = target.limiter
        limiter.failed(await limiter.acquire(0, 60), TransientError("busy", kind="rate_limited", retry_after=1))
        limiter.succeeded(await limiter.acquire(0, 60), 0)
        await asyncio.sleep(0.1)
        await send(target, ASK, 0)
        return now()

    assert run_virtually(main()) < 5


def test_a_pause_longer_than_the_run_ends_the_call_at_once_as_it_does_those_that_wait() -> None:
    async def main() -> float:
        client = Client(TransientError("busy", kind="rate_limited", retry_after=600))
        with pytest.raises(EndpointUnavailable, match="asks to wait 10 minutes"):
            await send(model(client, until(60)), ASK, 0)
        return now()

    assert run_virtually(main()) < 1


@pytest.mark.parametrize("kind", ["server_error", "overloaded", "timeout"])
def test_no_wait_between_tries_outlasts_the_run(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.models.retry.random.uniform", lambda least, most: most)
    monkeypatch.setattr("synth.models.retry._FIRST_WAITS", {kind: 16.0})

    async def main() -> tuple[float, int]:
        client = Client(TransientError("no", kind=kind))
        with pytest.raises(BudgetSpent, match=r"budget\.minutes is over"):
            await send(model(client, until(0.5)), ASK, 0)
        return now(), len(client.sent_at)

    assert run_virtually(main()) == (0.5, 1)


def test_a_wait_that_the_run_has_time_for_is_waited() -> None:
    async def main() -> list[float]:
        client = Client(TransientError("no", kind="server_error", retry_after=600), OK)
        await send(model(client, until(900)), ASK, 0)
        return client.sent_at

    assert run_virtually(main()) == [0, 600]


def test_useless_answers_are_paid_for_and_the_budget_is_asked_before_each_further_try() -> None:
    async def main() -> None:
        client, journal = Client(useless()), MemoryJournal()
        budget = Budget(BudgetSpec(tokens=1500), clock=now)
        caller = JournaledCaller({"m": model(client)}, journal, budget=budget)
        with pytest.raises(BudgetSpent, match=r"budget\.tokens is spent: 1,010 of 1,500 used"):
            await caller.call("m", Request(ASK.messages, Sampling(max_tokens=400)), unit="u", key="k")
        assert len(client.sent_at) == 1
        (record,) = journal.records.values()
        assert (record.id, record.usage, record.tries, record.cost_usd) == ("u/k", Usage(10, 1000), 1, 1010)

    run_virtually(main())


def test_a_call_given_up_leaves_in_the_journal_what_it_cost_and_is_sent_again() -> None:
    async def main() -> None:
        client, journal = Client(*[useless()] * 6, OK), MemoryJournal()
        budget = Budget(BudgetSpec(tokens=100_000), clock=now)
        caller = JournaledCaller({"m": model(client)}, journal, budget=budget)
        with pytest.raises(TransientError, match="no choice"):
            await caller.call("m", ASK, unit="u", key="k")
        (record,) = journal.records.values()
        assert (record.usage, record.tries) == (Usage(60, 6000), 6)
        assert (await caller.call("m", ASK, unit="u", key="k")).response == OK
        with pytest.raises(BudgetSpent, match="6,075 of 100,000 used"):  # nothing is reserved any more
            await caller.call("m", Request(ASK.messages, Sampling(max_tokens=200_000)), unit="u", key="other")

    run_virtually(main())


def test_an_answer_counts_what_the_useless_ones_before_it_cost() -> None:
    async def main() -> None:
        caller = JournaledCaller({"m": model(Client(useless(), useless(), OK))}, MemoryJournal())
        record = await caller.call("m", ASK, unit="u", key="k")
        assert (record.usage, record.cost_usd, record.tries) == (Usage(30, 2005), 2035, 3)

    run_virtually(main())


def test_a_useless_answer_counts_against_the_tokens_of_a_minute() -> None:
    async def main() -> list[float]:
        client = Client(useless(2000), OK)
        await send(model(client, tpm=2000), ASK, 1500)
        return client.sent_at

    first, second = run_virtually(main())
    assert second - first > 30


def test_when_a_run_ends_nothing_more_is_sent_and_what_is_under_way_is_journaled() -> None:
    class Slow(Client):
        async def complete(self, request: Request) -> Response:
            answer = await super().complete(request)
            await asyncio.sleep(10)
            return answer

    async def main() -> None:
        slow, refusing = Slow(OK), Client(TransientError("busy", kind="rate_limited", retry_after=600))
        batch = replace(model(Slow(OK)), timeout=math.inf)
        journal = MemoryJournal()
        full = replace(model(slow), limiter=Limiter("e", 1, clock=now))
        caller = JournaledCaller({"slow": full, "refusing": model(refusing), "batch": batch}, journal)
        calls = [
            asyncio.create_task(caller.call(name, ASK, unit=f"u{i}", key="k"))
            for i, name in enumerate(["slow", "slow", "refusing", "batch"])
        ]
        await asyncio.sleep(1)
        await caller.finish()
        assert now() == pytest.approx(10)
        answered, waiting, asleep, batched = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(answered, CallRecord)
        assert [record.id for record in journal.records.values()] == ["u0/k"]
        assert [str(error) for error in (waiting, asleep)] == ["the run is ending"] * 2
        assert isinstance(batched, asyncio.CancelledError)
        with pytest.raises(RunError):
            await caller.call("slow", ASK, unit="u9", key="k")

    run_virtually(main())
