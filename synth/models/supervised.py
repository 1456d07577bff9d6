"""A model server that synth runs itself: started when it is needed, revived when it dies, stopped always."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque

from synth.errors import FatalModelError
from synth.models.process import ChildProcess, is_healthy
from synth.models.progress import Report, Warned

_DYING_SECONDS = 0.5  # its port closes before its end is noticed
_RESTART_TRIES = 3
_RESTART_PAUSE_SECONDS = 1.0
_MOST_DEATHS = 5
_DEATHS_WITHIN_SECONDS = 600.0


class SupervisedServer(ABC):
    """``name`` is the model's; a subclass says how the process is prepared and launched."""

    def __init__(self, name: str, report: Report) -> None:
        self.name = name
        self._report = report
        self._lock = asyncio.Lock()
        self._port = 0
        self._child: ChildProcess | None = None
        self._deaths: deque[float] = deque(maxlen=_MOST_DEATHS)
        self._seen_alive = 0.0
        self._stopped = False

    @property
    def base_url(self) -> str:
        """The endpoint, up to and including ``/v1``; it stays the same when the server is restarted."""
        assert self._port, "start() comes first"
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def pid(self) -> int | None:
        """The id of the server's process group, or None while there is none."""
        return self._child.pid if self._child is not None else None

    async def start(self) -> str:
        """Make it ready and return the base URL.

        Raises ``UsageError`` where something is missing that the user has to install or name, ``RunError`` where the
        model cannot be had, ``FatalModelError`` where the server does not start.
        """
        async with self._lock:
            if self._child is None:
                await self._prepare()
                await self._launch()
        return self.base_url

    async def ensure_alive(self) -> None:
        """Return when the server answers; where it has died or hangs, it is started again at the same address.

        Raises ``FatalModelError`` where it dies again and again, or is stopped.
        """
        failed_at = time.monotonic()
        async with self._lock:
            if self._stopped or self._child is None:
                raise FatalModelError(f"the server of {self.name} is stopped")
            if self._seen_alive > failed_at:  # requests fail together, and one look is enough for all of them
                return
            looked_at = time.monotonic()
            if not await self._answers(self._child):
                await self._restart(self._child)
                looked_at = time.monotonic()
            self._seen_alive = looked_at

    async def stop(self) -> None:
        """End the server. It is not started again."""
        self._stopped = True
        if self._child is not None:
            await self._child.stop()

    @abstractmethod
    async def _prepare(self) -> None:
        """What comes once, before the first launch."""

    @abstractmethod
    async def _launch(self) -> None:
        """Start the process and wait until it answers; sets ``_child``, and ``_port`` where that is 0."""

    async def _answers(self, child: ChildProcess) -> bool:
        """Whether the server does its work; asked twice, because one that is busy may be late."""
        health = f"{self.base_url.removesuffix('/v1')}/health"
        return await is_healthy(health) or (child.running and await is_healthy(health))

    async def _restart(self, dead: ChildProcess) -> None:
        ending = dead.ending if await dead.wait_ended(_DYING_SECONDS) else "it does not answer"
        await dead.stop()
        if len(self._deaths) == _MOST_DEATHS and time.monotonic() - self._deaths[0] < _DEATHS_WITHIN_SECONDS:
            raise dead.failure(f"keeps dying ({_MOST_DEATHS + 1} times in {_DEATHS_WITHIN_SECONDS / 60:.0f} minutes)")
        self._deaths.append(time.monotonic())
        self._report(Warned(f"the server of {self.name} is started again: {ending}"))
        for tries in range(1, _RESTART_TRIES + 1):
            try:
                await self._launch()
                break
            except FatalModelError:
                if self._stopped or tries == _RESTART_TRIES:
                    raise
                await asyncio.sleep(_RESTART_PAUSE_SECONDS)
