"""Has a CorrSynth group go to a server at once, so that its texts are a few tokens apart at most.

A server writes what it is sent; when a text of one group ends, the first of the next would be sent alone, and be half
written when the last of its group comes. So members wait here until their group is whole. Some may never come: they
were answered before, are beyond the plan's end, or are a second try that the others do not need. So a group also goes a
moment after all has been answered that was being written when its first member came: there was room for the rest.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from synth.errors import ResponseError
from synth.models.client import ModelClient, Request, Response
from synth.models.corrsynth.member import XARGS, Member, read_member

_GRACE_SECONDS = 1.0
_MOST_SECONDS = 30.0


@dataclass(slots=True)
class _Group:
    """Members that wait. ``sent`` is how many requests had been sent when the first came, at ``first``; the last thing
    that may bring another happened at ``last``."""

    sent: int
    first: float
    last: float
    members: list[asyncio.Future[None]] = field(default_factory=list)


class Lockstep:
    """A model client; ``client`` is asked for everything. What is of no group does not wait.

    ``run`` goes before the names of groups that are sent: other runs at the same server have groups of these names too.
    It is no part of what a request asks for, so that a resumed run finds its answers again.
    """

    def __init__(self, client: ModelClient, run: str) -> None:
        self._client = client
        self._run = run
        self._groups: dict[str, _Group] = {}
        self._sent = 0
        self._running: dict[int, None] = {}  # the numbers of requests, the earliest first
        self._timer: asyncio.TimerHandle | None = None

    async def complete(self, request: Request) -> Response:
        try:
            member = read_member(request.sampling.extra.get(XARGS))
        except ValueError as error:
            raise ResponseError(str(error), kind="refused") from error
        if member is not None:
            await self._wait(member.group, member.size)
            request = self._named(request, member)
        number = self._sent = self._sent + 1
        self._running[number] = None
        try:
            return await self._client.complete(request)
        finally:
            self._ended(number)

    async def aclose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._client.aclose()

    def _named(self, request: Request, member: Member) -> Request:
        extra = request.sampling.extra
        sent = replace(member, group=f"{self._run}/{member.group}").to_xargs()
        extra = {**extra, XARGS: {**extra[XARGS], **sent}}
        return replace(request, sampling=replace(request.sampling, extra=extra))

    async def _wait(self, name: str, size: int) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        group = self._groups.setdefault(name, _Group(self._sent, now, now))
        group.last = now
        future: asyncio.Future[None] = loop.create_future()
        group.members.append(future)
        if len(group.members) >= size:
            self._let_go(name)
        self._watch()
        try:
            await future
        finally:
            if future.cancelled():
                group.members.remove(future)

    def _ended(self, number: int) -> None:
        del self._running[number]
        now = asyncio.get_running_loop().time()
        for group in self._groups.values():
            if number <= group.sent:
                group.last = now
        self._watch()

    def _watch(self) -> None:
        """Come back when the first of the groups is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._groups:
            due = min(self._due(group) for group in self._groups.values())
            self._timer = asyncio.get_running_loop().call_at(due, self._let_due_go)

    def _due(self, group: _Group) -> float:
        most = group.first + _MOST_SECONDS
        earlier = next(iter(self._running), self._sent + 1) <= group.sent
        return most if earlier else min(most, group.last + _GRACE_SECONDS)

    def _let_due_go(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for name in [name for name, group in self._groups.items() if self._due(group) <= now + 1e-6]:
            self._let_go(name)
        self._watch()

    def _let_go(self, name: str) -> None:
        for future in self._groups.pop(name).members:
            if not future.done():
                future.set_result(None)
