"""What the run store does with what it cannot keep, and what it makes of a file that has a gap."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from synth.errors import ResponseError, RunError
from synth.messages import Message, StopReason, Usage
from synth.models.caller import CallRecord
from synth.models.client import Request, Response, Sampling
from synth.store import GROUP_SECONDS, Progress, Store


def call(number: int, text: str = "yes", usage: Usage = Usage(3, 2)) -> CallRecord:  # noqa: B008 - frozen
    request = Request((Message("user", "well?"),), Sampling())
    answer = Response(Message("assistant", text), usage, StopReason.STOP, "m")
    return CallRecord(f"g-{number:06d}/ask", f"g-{number:06d}", "m", "f", request, answer, 0.0, 0.1, 1, "sent")


def attempt(store: Store, place: int, gate: str | None = None) -> None:
    store.record_attempt("g", place, f"g-{place:06d}", gate, b"{}")


class Failing(Store):
    """Does not commit the group that holds a place."""

    lost = -1

    def _commit(self, group: Any) -> None:
        if any(place == self.lost for _, place, *_ in group.attempts):
            raise sqlite3.OperationalError("database is locked")
        super()._commit(group)


async def test_a_lost_commit_is_told_to_all_who_come_later(tmp_path: Path) -> None:
    store = Failing.open(tmp_path / "a.sqlite")
    store.lost = 1
    attempt(store, 0)
    await store.flush()
    attempt(store, 1)
    store._start_commit(store._open_group())
    attempt(store, 2)
    with pytest.raises(RunError, match="database is locked"):
        await store.flush()
    with pytest.raises(RunError, match="database is locked"):
        attempt(store, 3)
    with pytest.raises(RunError, match="database is locked"):
        await store.record_call(call(3))
    with pytest.raises(RunError, match="database is locked"):
        await store.flush()
    store.close()


async def test_a_generator_is_decided_up_to_its_first_gap(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    for place in (0, 1, 2, 4, 5, 7):
        await store.record_call(call(place))
        attempt(store, place, "form" if place in (1, 5) else None)
    store.record_attempt("other", 1, "other-000001", None, b"{}")
    await store.flush()
    assert store.progress() == {"g": Progress(3, 2)}
    store.prepare_resume()
    assert store.progress() == {"g": Progress(3, 2)}
    assert [unit for unit, _, _ in store.all_rows()] == ["g-000000", "g-000001", "g-000002"]
    again = call(4)
    assert await store.find_call(again.id, again.fingerprint, again.request) == again
    store.close()


@pytest.mark.parametrize(
    ("text", "usage"), [("half a character: \ud83d", Usage(3, 2)), ("yes", Usage(2**63, 1)), ("yes", Usage(1, 2**70))]
)
async def test_an_answer_that_cannot_be_kept_is_told_to_who_asked(tmp_path: Path, text: str, usage: Usage) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    good, bad = await asyncio.wait_for(
        asyncio.gather(store.record_call(call(0)), store.record_call(call(1, text, usage)), return_exceptions=True), 10
    )
    assert good is None
    assert isinstance(bad, ResponseError)
    assert bad.kind == "malformed"
    bad.text.encode()
    assert store.spent() == (Usage(3, 2), 0.0)
    store.close()


async def test_whatever_a_commit_fails_by_nobody_waits_for_ever(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    attempt(store, 2**70)
    with pytest.raises(RunError, match="OverflowError"):
        await asyncio.wait_for(store.record_call(call(0)), 10)
    store.close()


async def test_closing_commits_what_is_open(tmp_path: Path) -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    store = Store.open(tmp_path / "a.sqlite")
    waiting = asyncio.create_task(store.record_call(call(0)))
    await asyncio.sleep(0)
    attempt(store, 0)
    store.close()
    await asyncio.wait_for(waiting, 10)
    await asyncio.sleep(2 * GROUP_SECONDS)
    assert complaints == []
    with pytest.raises(RunError, match="is closed"):
        attempt(store, 1)
    store = Store.open(tmp_path / "a.sqlite")
    assert (store.progress(), store.spent()) == ({"g": Progress(1, 1)}, (Usage(3, 2), 0.0))
    store.close()
