"""How many requests an endpoint holds at once, learnt from what it refuses."""

from __future__ import annotations

START = 16
_PROOF = 4  # admissions above the known level before that level counts as held
_MOST_STRIKES = 10


class Window:
    """``limit`` is the most requests in flight now.

    Until the first refusal it grows by one with each request admitted (slow start). A refusal then shows the exact
    level, ``held``: what is in flight besides the refused. From there one more is tried now and then, and after each
    refused trial (a strike) half as often as before.
    """

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.limit = min(START, ceiling)
        self.held = 0
        self.strikes = 0
        self._proof = 0
        self._credit = 0

    def is_trial(self, place: int) -> bool:
        """Whether a request sent as the ``place``-th in flight was a trial of one more than is known to be held."""
        return 0 < self.held < self.limit and place > self.held

    def cut(self, others: int, *, trial: bool) -> None:
        """A request was refused while ``others`` were in flight."""
        if trial:
            self.strikes = min(_MOST_STRIKES, self.strikes + 1)
        elif others < self.held - 1:
            self.strikes = 0
        self.narrow(others)

    def narrow(self, others: int) -> None:
        """No more than ``others`` are held."""
        self.limit = self.held = max(1, min(self.limit, others))
        self._proof = self._credit = 0

    def be_careful(self) -> None:
        """The refusal cost a pause: stay one below the level, unless it is just the beginning, and rarely try more."""
        if self.held >= START or self.strikes > 2:
            self.narrow(self.held - 1)
            self.strikes = _MOST_STRIKES

    def grow(self, place: int, *, fresh: bool, steps: int = 1) -> None:
        """The ``place``-th in flight was admitted and more are waiting; ``fresh``: it was sent after the last cut."""
        if not self.held:
            self.limit = min(self.ceiling, self.limit + steps)
            return
        if fresh and place > self.held:
            self._proof += 1
            if self._proof >= _PROOF:
                self.held = min(place, self.limit)
                self._proof = 0
                self.strikes = max(0, self.strikes - 1)
        if place >= self.limit == self.held < self.ceiling:
            self._credit += 1
            if self._credit >= (self.limit << self.strikes) // 8:
                self._credit = 0
                self.limit += 1

    def restore(self, limit: int) -> None:
        """The cuts were for nothing: start again from ``limit``."""
        self.limit = limit
        self.held = self.strikes = self._proof = self._credit = 0
