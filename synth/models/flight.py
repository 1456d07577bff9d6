"""One request on its way."""

from __future__ import annotations

import asyncio
import math


class Flight:
    """One request between being let go and being over.

    ``place`` is how many were in flight when it was sent, itself included; ``answered`` how many the endpoint had
    answered by then. ``admitted`` turns true when it is answered, or has gone unrefused for so long that it will not be
    refused. ``first_sign`` and ``last_sign`` are when anything of its answer was first and last seen; until then, never
    and when it was sent. ``lost``: given up.
    """

    __slots__ = (
        "admitted",
        "answered",
        "first_sign",
        "last_sign",
        "lost",
        "number",
        "place",
        "sent_at",
        "task",
        "timeout",
        "tokens",
    )

    def __init__(
        self,
        number: int,
        place: int,
        answered: int,
        sent_at: float,
        tokens: int,
        timeout: float,
        task: asyncio.Task[object] | None,
    ) -> None:
        self.number = number
        self.place = place
        self.answered = answered
        self.sent_at = sent_at
        self.first_sign = math.inf
        self.last_sign = sent_at
        self.tokens = tokens
        self.timeout = timeout
        self.task = task
        self.admitted = False
        self.lost = False
