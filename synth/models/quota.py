"""Quotas that the user knows of: requests and tokens per minute."""

from __future__ import annotations

_BUCKET = 0.02  # of a minute's worth


class Quota:
    """At most ``per_minute`` units in any 60 seconds, spent evenly: a token bucket that fills to 2 % of the quota.

    What is given back may fill it to twice that, since it was waited for already. What is taken may be more than the
    bucket holds; the debt then delays what comes after. Times are seconds of a monotonic clock.
    """

    def __init__(self, per_minute: float) -> None:
        self._size = max(1.0, _BUCKET * per_minute)
        # The fullest bucket and a minute's refill together are the quota; a bucket of one needs no such allowance.
        self._rate = (per_minute - (2 * self._size if self._size > 1 else 0)) / 60
        self._level = self._size
        self._at = 0.0

    def delay(self, now: float, amount: float) -> float:
        """Seconds until ``amount`` may be taken (or until the bucket is full, where it is more than that)."""
        self._refill(now)
        missing = min(amount, self._size) - self._level
        return missing / self._rate if missing > 1e-9 else 0.0

    def take(self, now: float, amount: float) -> None:
        """``amount`` is used, or is going to be."""
        self._refill(now)
        self._level -= amount

    def give_back(self, amount: float) -> None:
        """So much of what was taken was not used after all; a negative amount was used beyond it."""
        self._level = min(2 * self._size, self._level + amount)

    def _refill(self, now: float) -> None:
        if now > self._at:
            if self._level < self._size:
                self._level = min(self._size, self._level + (now - self._at) * self._rate)
            self._at = now
