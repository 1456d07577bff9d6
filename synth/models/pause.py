"""``Retry-After``: when a whole endpoint is left alone, and when that turns out not to be meant."""

from __future__ import annotations

import math

_MOST_UNANSWERED = 16


class Pause:
    """Whether, and until when, nothing may be sent to an endpoint.

    A refused request asks for it. When a request that was sent after the refused one is answered, the endpoint has
    contradicted itself: the pause is lifted, whoever asked for it since. From then on such pauses are not held any
    more (the refused request itself still waits), until 16 of them in a row go by without a contradiction. Times are
    seconds of a monotonic clock; flights are known by their numbers, which rise.
    """

    def __init__(self) -> None:
        self._until = -math.inf
        self._doubted = 0  # the first refused flight since the last contradiction
        self._unanswered = 0
        self._contradicted = False

    def left(self, now: float) -> float:
        """Seconds that it still lasts; 0 where there is none."""
        return max(0.0, self._until - now)

    def begin(self, number: int, now: float, seconds: float) -> float:
        """Flight ``number`` was refused and asks for ``seconds``; returns by how much the pause becomes longer."""
        self._unanswered += 1
        self._doubted = self._doubted or number
        if self._contradicted and self._unanswered <= _MOST_UNANSWERED:
            return 0.0
        added = now + seconds - max(now, self._until)
        if added <= 0:
            return 0.0
        self._until = now + seconds
        return added

    def answered(self, number: int, now: float) -> float:
        """Flight ``number`` was answered; returns the seconds of pause that this lifts."""
        if not 0 < self._doubted < number:
            return 0.0
        self._contradicted = True
        self._doubted = self._unanswered = 0
        lifted = self.left(now)
        self._until = -math.inf
        return lifted
