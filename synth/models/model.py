"""A recipe's model, ready to be called: who speaks to it, what it may cost, and who keeps it alive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from synth.models.client import ModelClient
from synth.models.limiter import Limiter
from synth.models.prices import Price


class Server(Protocol):
    """A model server that synth runs itself, as a process of its own."""

    async def start(self) -> str:
        """Start it, wait until it answers, and return its base URL; raises ``FatalModelError`` where it cannot."""
        ...

    async def ensure_alive(self) -> None:
        """Return when it answers again, restarted at the same base URL if it had died."""
        ...

    async def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of ``models``.

    ``identity`` is what its answers depend on besides the request, and no more: it names the model, not the port
    that it happens to listen on. ``address`` tells equally named models at different endpoints apart in the cache,
    which outlives a run. ``price`` is None where it is unknown. ``timeout``: seconds without a sign of life.
    """

    name: str
    identity: str
    address: str
    client: ModelClient
    limiter: Limiter
    price: Price | None
    timeout: float
    server: Server | None = None
