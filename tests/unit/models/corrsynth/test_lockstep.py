"""A group goes to the server at once, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from synth.errors import ResponseError
from synth.messages import Message, StopReason, Usage
from synth.models.client import Request, Response, Sampling
from synth.models.corrsynth.lockstep import Lockstep
from synth.models.corrsynth.member import XARGS, Member, read_member
from tests.virtual_time import run_virtually

MEMBER = Member("g", 3, "a", "hybrid", 1.0, 0.5, 0.001)


class Clocked:
    """Answers after as many seconds as the request's text says; remembers when each was sent."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.groups: set[str] = set()

    async def complete(self, request: Request) -> Response:
        name, seconds = str(request.messages[0].content).split()
        self.sent[name] = asyncio.get_running_loop().time()
        if (member := read_member(request.sampling.extra.get(XARGS))) is not None:
            self.groups.add(member.group)
        await asyncio.sleep(float(seconds))
        return Response(Message("assistant", name), Usage(1, 1), StopReason.STOP, "m")

    async def aclose(self) -> None:
        pass


def ask(text: str, member: Member | None = MEMBER) -> Request:
    extra = {XARGS: member.to_xargs()} if member is not None else {}
    return Request((Message("user", text),), Sampling(1.0, max_tokens=9, extra=extra))


def sent(**asked: tuple[float, Request]) -> dict[str, float]:
    """When each request was sent, by what it is called; each is asked after so many seconds."""
    clocked = Clocked()

    async def main() -> None:
        client = Lockstep(clocked, "run")

        async def one(seconds: float, request: Request) -> None:
            await asyncio.sleep(seconds)
            await client.complete(request)

        await asyncio.gather(*(one(*each) for each in asked.values()))
        await client.aclose()

    run_virtually(main())
    return {name: round(at, 3) for name, at in clocked.sent.items()}


def test_a_whole_group_is_sent_with_its_last_member() -> None:
    times = sent(a=(0, ask("a 1")), b=(0.4, ask("b 1")), c=(0.7, ask("c 1")))
    assert times == {"a": 0.7, "b": 0.7, "c": 0.7}


def test_what_is_of_no_group_does_not_wait() -> None:
    times = sent(plain=(0, ask("plain 1", None)), a=(0, ask("a 1")))
    assert times["plain"] == 0


def test_members_wait_while_something_runs_that_makes_room_for_the_rest() -> None:
    other = replace(MEMBER, group="h")
    first = {name: (0.0, ask(f"{name} {seconds}")) for name, seconds in (("a", 1), ("b", 5), ("c", 9))}
    second = {name: (at, ask(f"{name} 1", other)) for name, at in (("x", 1.0), ("y", 5.0), ("z", 9.0))}
    times = sent(**first, **second)
    assert times["a"] == times["b"] == times["c"] == 0
    assert times["x"] == times["y"] == times["z"] == 9


def test_a_part_of_a_group_waits_for_what_was_sent_before_it_alone() -> None:
    busy = {f"plain{n}": (n, ask(f"plain{n} 3", None)) for n in range(40)}
    whole = {name: (0.0, ask(f"{name} 5")) for name in "abc"}
    times = sent(**busy, **whole, again=(6.0, ask("again 1", replace(MEMBER, group="h"))))
    assert times["a"] == 0
    assert times["again"] == 10  # what was sent at 6 was answered at 9, and a moment passed


@pytest.mark.parametrize("size", [1, 3])
def test_a_group_that_never_becomes_whole_goes_a_moment_after_all_else_has_ended(size: int) -> None:
    alone = replace(MEMBER, group="h", size=size)
    times = sent(plain=(0, ask("plain 4", None)), x=(0.5, ask("x 1", alone)))
    assert times["x"] == (0.5 if size == 1 else 5.0)


def test_nothing_waits_for_an_answer_that_does_not_come() -> None:
    times = sent(plain=(0, ask("plain 99", None)), x=(1, ask("x 1")))
    assert times["x"] == 31


def test_whoever_gives_up_waiting_is_not_counted() -> None:
    clocked = Clocked()

    async def main() -> None:
        client = Lockstep(clocked, "run")
        gone = asyncio.ensure_future(client.complete(ask("gone 1")))
        await asyncio.sleep(0.1)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await asyncio.gather(*(client.complete(ask(f"{name} 1")) for name in "abc"))
        await client.aclose()

    run_virtually(main())
    assert clocked.sent == {"a": 0.1, "b": 0.1, "c": 0.1}


def test_arguments_that_cannot_be_are_refused() -> None:
    with pytest.raises(ResponseError, match="between 0 and gamma"):
        sent(a=(0, ask("a 1", replace(MEMBER, delta=3.0))))


def test_runs_that_share_a_server_send_groups_of_different_names() -> None:
    clocked = Clocked()

    async def main() -> None:
        clients = [Lockstep(clocked, run) for run in ("one", "other")]
        await asyncio.gather(*(client.complete(ask(f"{name} 1")) for client in clients for name in "abc"))

    run_virtually(main())
    assert clocked.groups == {"one/g", "other/g"}
