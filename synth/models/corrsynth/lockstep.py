"""Has a CorrSynth group go to a server at once, so that its texts are some tokens apart at most.

A server writes what it is sent; when a text of one group ends, the first of the next would be sent alone, and be half
written when the last of its group comes. So members wait here until their group is whole, or nothing is being written
that could make room for the rest: some may never come, as they were answered before or are beyond the plan's end.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

from synth.errors import ResponseError
from synth.models.client import ModelClient, Request, Response
from synth.models.corrsynth.member import XARGS, read_member

_GRACE_SECONDS = 1.0
"""How long the members that are there wait for more while nothing is being written."""


class Lockstep:
    """A model client; ``client`` is asked for everything. What is of no group does not wait."""

    def __init__(self, client: ModelClient) -> None:
        self._client = client
        self._waiting: dict[str, list[asyncio.Future[None]]] = defaultdict(list)
        self._running = 0
        self._timer: asyncio.TimerHandle | None = None

    async def complete(self, request: Request) -> Response:
        try:
            member = read_member(request.sampling.extra.get(XARGS))
        except ValueError as error:
            raise ResponseError(str(error), kind="refused") from error
        if member is not None:
            await self._wait(member.group, member.size)
        self._running += 1
        try:
            return await self._client.complete(request)
        finally:
            self._running -= 1
            self._watch()

    async def aclose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._client.aclose()

    async def _wait(self, group: str, size: int) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        members = self._waiting[group]
        members.append(future)
        if len(members) >= size:
            self._let_go(group)
        else:
            self._watch()
        try:
            await future
        finally:
            if future in members:  # cancelled before it was let go
                members.remove(future)

    def _let_go(self, group: str) -> None:
        for future in self._waiting.pop(group):
            if not future.done():
                future.set_result(None)

    def _watch(self) -> None:
        """Start waiting for the grace to pass, anew with each that comes; while something runs, there is no hurry."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self._running:
            self._timer = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._let_all_go)

    def _let_all_go(self) -> None:
        self._timer = None
        for group in list(self._waiting):
            self._let_go(group)
