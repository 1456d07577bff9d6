"""Every model call of a run goes through here: journal, budget, limits, retries, journal again.

Order of one call: answered from the journal if this unit asked the same before; otherwise (with ``cache: true``) from
the cache; otherwise a budget reservation, a place at the endpoint, the request with its retries, and a commit to the
journal. Only then does anyone see the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from synth.errors import ResponseError
from synth.messages import Usage
from synth.models.client import Request, Response


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One answered call as the journal keeps it.

    ``id`` is ``<unit id>/<key>``; with the fingerprint it is unique. ``seconds`` is from send to answer; ``tries``
    counts requests sent for it. ``cost_usd`` is None where the model has no known price; it and the usage include what
    was paid for tries without a usable answer. A call that got no answer but cost something has an empty one, under a
    fingerprint that no request has.
    """

    id: str
    unit: str
    model: str
    fingerprint: str
    request: Request
    response: Response
    cost_usd: float | None
    seconds: float
    tries: int
    source: str  # "sent" | "cache"

    @property
    def usage(self) -> Usage:
        return self.response.usage


class UnusableAnswer(ResponseError):
    """A whole answer came, was paid for and journaled, and is cut off, filtered or empty; ``record`` is the call."""

    def __init__(self, message: str, *, kind: str, record: CallRecord) -> None:
        said = record.response.message
        super().__init__(message, kind=kind, text=said.content or said.reasoning or "")
        self.record = record


class Journal(Protocol):
    """Where answers are kept. The run store implements it."""

    async def find_call(self, call_id: str, fingerprint: str, request: Request) -> CallRecord | None:
        """The journaled answer to this very call, if there is one; ``request`` becomes part of the record."""
        ...

    async def record_call(self, record: CallRecord) -> None:
        """Return when the record is committed to disk."""
        ...


@dataclass(frozen=True, slots=True)
class Amount:
    """What a call may cost at most, or did cost."""

    tokens: int
    usd: float


class Budget(Protocol):
    """What a run may spend. ``synth.budget`` implements it."""

    counts_tokens: bool
    """Whether amounts matter at all; otherwise callers need not work them out."""

    async def reserve(self, most: Amount) -> None:
        """Return when ``most`` fits beside what is spent and reserved; raises ``BudgetSpent`` when it never will."""
        ...

    def settle(self, reserved: Amount, spent: Amount) -> None:
        """A reserved call is over and cost ``spent``."""
        ...

    def seconds_left(self) -> float:
        """Seconds that the run may still last."""
        ...


class Caller(Protocol):
    """What agents call models through."""

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        """Answer ``request`` by the recipe's model ``model``; ``key`` names the call within its unit (``solve.3``).

        Raises ``UnusableAnswer`` for an answer that was journaled and cannot be used, any other ``ResponseError`` for a
        request that the server refuses for its content, ``TransientError`` when retries are spent, and ``BudgetSpent``
        and ``FatalModelError`` to end the run.
        """
        ...


class RunCaller(Caller, Protocol):
    """A caller that a run can end."""

    async def finish(self) -> None:
        """Send nothing more, and return when what is under way is in the journal; a call that would send anything
        raises ``RunError`` from now on."""
        ...
