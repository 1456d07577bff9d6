"""How many requests an endpoint gets at once."""

from __future__ import annotations

import asyncio

from synth.errors import TransientError


class Flight:
    """One request between being let go and being over."""

    __slots__ = ("tokens",)

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens


class Limiter:
    """Shared by all models at one endpoint; ``ceiling`` is the most requests in flight."""

    def __init__(self, ceiling: int) -> None:
        self._places = asyncio.Semaphore(ceiling)

    async def acquire(self, tokens: int) -> Flight:
        """Wait for a place for a request of about ``tokens`` tokens."""
        await self._places.acquire()
        return Flight(tokens)

    def succeeded(self, flight: Flight, tokens: int) -> None:
        """The request was answered, and took ``tokens`` tokens."""
        self._places.release()

    def failed(self, flight: Flight, error: TransientError) -> None:
        """The request failed in a way that says something of the endpoint's state."""
        self._places.release()

    def abandoned(self, flight: Flight) -> None:
        """The request ended in a way that says nothing of the endpoint: refused for its content, or cancelled."""
        self._places.release()
