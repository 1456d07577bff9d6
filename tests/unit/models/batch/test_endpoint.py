from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from synth.errors import BudgetSpent, FatalModelError, ResponseError, TransientError
from synth.messages import Json
from synth.models.batch import api
from synth.models.batch import endpoint as module
from synth.models.batch.endpoint import BatchEndpoint
from tests.batch_server import BatchServer
from tests.servers import Abilities
from tests.unit.models.embedded.toy import Events

Make = Callable[..., BatchEndpoint]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(module, "FIRST_POLL_SECONDS", 0.01)
    monkeypatch.setattr(module, "_LONGEST_POLL_SECONDS", 0.05)


@pytest.fixture
async def server() -> AsyncIterator[BatchServer]:
    one = BatchServer()
    await one.start()
    yield one
    await one.aclose()


@pytest.fixture
async def make(server: BatchServer, tmp_path: Path) -> AsyncIterator[Make]:
    made = []

    def make_endpoint(most: int = 100, **options: Any) -> BatchEndpoint:
        ledger = tmp_path / "batches" / "teacher.jsonl"
        made.append(BatchEndpoint(server.url, name="teacher", most=most, ledger=ledger, **options))
        return made[-1]

    yield make_endpoint
    for one in made:
        await one.aclose()


async def ask(endpoint: BatchEndpoint, text: str, sample: str = "") -> str:
    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": text}]})
    answer: Json = await endpoint.chat(body, model="m", sample=sample)
    return str(answer["choices"][0]["message"]["content"])


async def ask_all(endpoint: BatchEndpoint, count: int) -> list[str]:
    return await asyncio.gather(*(ask(endpoint, f"say {number}") for number in range(count)))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for is in the server
        await asyncio.sleep(0.005)


def said(count: int) -> list[str]:
    return [f"say {number}" for number in range(count)]


def sizes(server: BatchServer) -> list[int]:
    return [len(batch.requests) for batch in server.batches]


async def test_requests_that_come_together_go_out_together(server: BatchServer, make: Make) -> None:
    assert await ask_all(make(), 10) == said(10)
    assert sizes(server) == [10]


async def test_a_batch_has_at_most_so_many(server: BatchServer, make: Make) -> None:
    assert await ask_all(make(most=4), 10) == said(10)
    assert sorted(sizes(server)) == [2, 4, 4]


async def test_a_batch_has_at_most_so_many_bytes(
    server: BatchServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 200)
    assert await ask_all(make(), 10) == said(10)
    assert len(server.batches) == 4


async def test_equal_requests_are_answered_one_by_one(server: BatchServer, make: Make) -> None:
    endpoint = make()
    answers = await asyncio.gather(*(ask(endpoint, "same", sample) for sample in ("0", "0", "1")))
    assert answers == ["same"] * 3
    assert sizes(server) == [3]


async def test_what_expired_goes_out_again(server: BatchServer, make: Make) -> None:
    server.plan.extend(["expire", "expire"])
    assert await ask_all(make(), 8) == said(8)
    assert sizes(server) == [8, 4, 2]


@pytest.mark.parametrize(
    "line",
    [b'{"foo": 1}', b"[1, 2]", b'{"custom_id": ', b"7", b'{"custom_id": [], "response": null}', b"\xff\xfe",
     b'{"custom_id": "x", "a": "\\ud83d"}'],
)  # fmt: skip
async def test_an_odd_line_of_the_results_costs_no_answer(
    server: BatchServer, make: Make, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    keep = server._keep
    monkeypatch.setattr(
        server, "_keep", lambda content: keep(line + b"\n" + content if b"response" in content else content)
    )
    assert await ask_all(make(), 3) == said(3)
    assert sizes(server) == [3]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"status_code":200', b'"status_code":null'),
        (b'"assistant","content":"say 0', b'"assistant","content":"say 0\\ud83d'),
    ],
)
async def test_an_answer_that_is_a_little_odd_is_one(
    server: BatchServer, make: Make, monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes
) -> None:
    keep = server._keep
    monkeypatch.setattr(server, "_keep", lambda content: keep(content.replace(old, new)))
    assert [text.rstrip("\ufffd") for text in await ask_all(make(), 1)] == said(1)
    assert sizes(server) == [1]


async def test_an_error_that_is_plain_text_is_told(
    server: BatchServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.plan.extend(["expire"] * 4)
    keep = server._keep
    told = re.compile(rb'"error":\{[^}]*\}')
    monkeypatch.setattr(server, "_keep", lambda content: keep(told.sub(b'"error":"it broke"', content)))
    with pytest.raises(TransientError, match="it broke"):
        await ask(make(), "x")


@pytest.mark.parametrize(
    ("path", "kind"), [("/v1/files", TransientError), ("/v1/batches", FatalModelError)], ids=["upload", "create"]
)
async def test_a_page_in_place_of_an_id_is_told(
    server: BatchServer, make: Make, path: str, kind: type[Exception]
) -> None:
    server.page_at = path
    with pytest.raises(kind, match="answered with something else than was asked for"):
        await ask(make(), "x")


async def test_what_expires_again_and_again_is_given_up(server: BatchServer, make: Make) -> None:
    server.plan.extend(["expire"] * 4)
    with pytest.raises(TransientError, match="could not be executed in time") as caught:
        await ask(make(), "late")
    assert caught.value.kind == "timeout"
    assert sizes(server) == [1] * 4


async def test_a_busy_endpoint_gets_its_requests_again(server: BatchServer, make: Make) -> None:
    server.plan.append("busy")
    assert await ask_all(make(), 3) == said(3)
    assert sizes(server) == [3, 3]


async def test_a_request_that_is_refused_fails_alone(server: BatchServer, make: Make) -> None:
    server.abilities.json_schema = False
    endpoint = make()
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_schema"}}
    good, bad = await asyncio.gather(
        ask(endpoint, "fine"), endpoint.chat(orjson.dumps(body), model="m"), return_exceptions=True
    )
    assert good == "fine"
    assert isinstance(bad, ResponseError)
    assert bad.kind == "bad_request"


async def test_a_batch_that_is_refused_ends_the_run(server: BatchServer, make: Make) -> None:
    server.plan.append("refuse")
    with pytest.raises(FatalModelError, match="refuses the batch: The model does not exist"):
        await ask(make(), "x")


async def test_a_full_queue_makes_the_next_batch_smaller(server: BatchServer, make: Make) -> None:
    server.plan.append("no_room")
    with pytest.raises(TransientError, match="has no room for the batch") as caught:
        await ask(make(), "x")
    assert caught.value.kind == "rate_limited"
    assert caught.value.retry_after == 60


async def test_a_batch_cancelled_elsewhere_ends_the_run_and_gives_what_it_has(server: BatchServer, make: Make) -> None:
    server.plan.append("cancel")
    endpoint = make()
    first, second = await asyncio.gather(ask(endpoint, "a"), ask(endpoint, "b"), return_exceptions=True)
    assert first == "a"
    assert isinstance(second, FatalModelError)
    assert "cancelled by someone else" in second.message


async def test_an_endpoint_without_batches_is_told(make: Make, server: BatchServer) -> None:
    endpoint = BatchEndpoint(f"{server.url}/nothing/v1", name="teacher", most=10, ledger=None)
    with pytest.raises(FatalModelError, match=r"does not take batches \(404") as caught:
        await ask(endpoint, "x")
    assert "leave out `batch`" in caught.value.hint
    await endpoint.aclose()


async def test_a_wrong_key_is_told_and_not_shown(server: BatchServer, make: Make) -> None:
    server.abilities = Abilities(api_key="right")
    with pytest.raises(FatalModelError, match="does not accept the API key") as caught:
        await ask(make(api_key="sk-secret"), "x")
    assert "sk-secret" not in caught.value.message


async def test_an_endpoint_that_is_not_there_is_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_RETRIES", 0)
    endpoint = BatchEndpoint("http://127.0.0.1:9/v1", name="teacher", most=10, ledger=None)
    with pytest.raises(FatalModelError, match=r"cannot be reached \(ConnectError\)"):
        await ask(endpoint, "x")
    await endpoint.aclose()


async def test_an_outage_while_it_waits_is_waited_out(server: BatchServer, make: Make) -> None:
    server.unreachable = 5
    assert await ask(make(), "x") == "x"
    assert server.unreachable == 0


async def test_who_no_longer_waits_leaves_nothing_running(server: BatchServer, make: Make) -> None:
    server.plan.append("hold")
    task = asyncio.create_task(ask(make(), "x"))
    await until(lambda: bool(server.batches))
    task.cancel()
    await until(lambda: server.batches[0].status == "cancelled")
    assert task.cancelled()
    assert len(server.batches) == 1


async def test_who_leaves_before_a_batch_goes_out_is_not_in_it(server: BatchServer, make: Make) -> None:
    endpoint = make()
    leaving, staying = (asyncio.create_task(ask(endpoint, text)) for text in ("leaving", "staying"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == "staying"
    assert sizes(server) == [1]


async def test_closing_cancels_what_is_under_way(server: BatchServer, make: Make) -> None:
    server.plan.append("hold")
    endpoint = make()
    task = asyncio.create_task(ask(endpoint, "x"))
    await until(lambda: bool(server.batches))
    task.cancel()
    await endpoint.aclose()
    assert server.batches[0].status in ("cancelling", "cancelled")


async def leave_behind(server: BatchServer, make: Make, count: int) -> None:
    """Hand in a batch and vanish, as a process that is killed does."""
    server.plan.append("hold")
    endpoint = make()
    tasks = [asyncio.create_task(ask(endpoint, text)) for text in said(count)]
    await until(lambda: bool(endpoint._batches))
    for task in (*tasks, *endpoint._tasks):
        task.cancel()
    endpoint._batches.clear()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_batch_that_a_killed_run_left_is_taken_up(server: BatchServer, make: Make) -> None:
    await leave_behind(server, make, 6)
    server.held.set()
    resumed = make()
    assert await ask_all(resumed, 3) == said(3)
    assert await ask(resumed, "say 5") == "say 5"  # asked for when the batch has been read
    assert await ask(resumed, "say 6") == "say 6"
    assert sizes(server) == [6, 1]


async def test_a_batch_that_is_gone_is_told_and_its_requests_go_out_again(server: BatchServer, make: Make) -> None:
    await leave_behind(server, make, 2)
    server.batches.clear()
    events = Events()
    assert await ask_all(make(report=events), 2) == said(2)
    assert sizes(server) == [2]
    assert events.warnings == [f"batch batch_2 is no longer at {server.url}: what it did not answer goes out again"]


async def test_what_a_cancelled_batch_left_unanswered_goes_out_again_when_resumed(
    server: BatchServer, make: Make
) -> None:
    await leave_behind(server, make, 6)
    server.batches[0].status = "cancelling"
    assert await ask_all(make(), 6) == said(6)
    assert sizes(server) == [6, 3]


async def test_a_run_that_is_out_of_time_waits_no_longer(server: BatchServer, make: Make) -> None:
    server.plan.append("hold")
    endpoint = make(seconds_left=lambda: 0.0 if server.batches and server.batches[0].looks > 2 else 60.0)
    with pytest.raises(BudgetSpent):
        await ask(endpoint, "x")
    await endpoint.aclose()
    assert server.batches[0].status == "cancelling"


async def test_what_cannot_be_cancelled_is_told(
    server: BatchServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CLOSING_SECONDS", 0.1)
    server.plan.append("hold")
    events = Events()
    endpoint = make(report=events)
    task = asyncio.create_task(ask(endpoint, "x"))
    await until(lambda: bool(endpoint._batches))
    task.cancel()
    await server.aclose()
    await endpoint.aclose()
    assert events.warnings == [f"not all of these could be cancelled at {server.url}: {server.batches[0].id}"]


async def test_how_far_it_is_is_told(server: BatchServer, make: Make) -> None:
    events = Events()
    await ask_all(make(report=events), 3)
    assert events.phases == ["batch: 0 of 3 answered", "batch: 3 of 3 answered"]


async def test_a_ledger_that_was_cut_off_is_read_as_far_as_it_goes(
    server: BatchServer, make: Make, tmp_path: Path
) -> None:
    await leave_behind(server, make, 2)
    server.held.set()
    ledger = tmp_path / "batches" / "teacher.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b'{"batch": "batch_9", "req')
    assert await ask_all(make(), 2) == said(2)
    assert sizes(server) == [2]
