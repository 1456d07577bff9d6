"""How fast an endpoint may be sent requests, learnt from what it refuses."""

from __future__ import annotations

import math
from collections import deque

_START_RATE = 400.0  # per second, before anything is known
_DOUBLING = 0.08  # seconds in which the rate doubles until the first refusal
_CATCH_UP = 0.004  # seconds of sending that are made up for after a late timer
_MOST_CATCH_UP = 0.1  # the same, once nothing has been refused for a while
_DEEPEST_CUT, _LEAST_CUT = 0.5, 0.98
_CLOSE = 0.97  # of the rate last refused: approached quickly, passed slowly
_FIRST_GROWTH = 0.02
_FIRST_HOLD, _LONGEST_HOLD = 0.25, 60.0
_FIRST_GAP, _LONGEST_GAP, _GAP_GROWTH = 0.025, 15.0, 1.5  # seconds between tries in a drought
_SHORTEST_QUOTA = 1.0
_BURST = 8  # after a pause: a limit that is meant refuses all that follow a refused one, and a whim does not
_RECENT = 4.0


class Pace:
    """``rate`` is the most requests per second now.

    Until the first refusal it doubles every 50 ms, and once the window is full and nothing is refused it no longer
    matters (infinite). A refusal cuts it to the share of requests let in since the refusal before; then it climbs back
    close to the rate that was refused, rests there, and passes it in small, growing steps.

    A *drought* is a quota that is spent: refusals in a row below the average rate. Then tries come further and further
    apart, and after it the rate is what was admitted on average since the last one, the drought included.
    """

    def __init__(self) -> None:
        self.rate = _START_RATE
        self.drought = False
        self._known = False
        self._next = 0.0
        self._sent: deque[float] = deque(maxlen=64)
        self._refused_rate = math.inf
        self._growth = _FIRST_GROWTH
        self._hold = _FIRST_HOLD
        self._held_until = 0.0
        self._step_began = 0.0
        self._held_back = False
        self._admitted = 0
        self._epoch = (math.inf, 0)  # since the last drought: (time, admitted until then)
        self._marks: deque[tuple[float, int]] = deque([(math.inf, 0)], maxlen=2)  # the same, every few seconds
        self._last_refusal = 0.0
        self._burst = 0
        self._lateness = 0.0

    def delay(self, now: float) -> float:
        """Seconds until the next request may be sent."""
        wait = self._next - now
        if wait <= 0:
            return 0.0
        self._held_back = True
        return wait

    def sent(self, now: float, *, full: bool) -> None:
        """A request is sent; ``full``: the window is as wide as it may ever be."""
        if self._epoch[0] == math.inf:
            self._epoch = (now, 0)
            self._marks[0] = (now, 0)
        elif now - self._marks[-1][0] > _RECENT:
            self._marks.append((now, self._admitted))
        self._sent.append(now)
        if self.rate == math.inf:
            return
        if not self.drought:
            self._grow(now, full)
        if self._burst:
            self._burst -= 1
            return
        gap = 1 / self.rate
        # Fine timers would cost more than they bring at a high rate; at a low one a strict server minds two at once.
        late = _CATCH_UP if gap < _CATCH_UP else max(0.001, 0.15 * gap)
        self._next = max(self._next, now - max(late, self._lateness)) + gap

    def admitted(self, now: float, sent_at: float, *, fresh: bool) -> None:
        """A request sent at ``sent_at`` was admitted; ``fresh``: it was sent after the last cut."""
        self._admitted += 1
        if self.drought and fresh:
            self.drought = False
            # The quota was renewed between the last try that was refused and the first that was not.
            self.rate = max(1 / _LONGEST_GAP, self.average((self._last_refusal + sent_at) / 2))
            self._refused_rate = self.rate / _CLOSE
            self._growth = _FIRST_GROWTH
            self._held_until = now + max(_SHORTEST_QUOTA, self._hold)
            self._next = now
            self._epoch = (sent_at, self._admitted)

    def average(self, now: float) -> float:
        """Admitted per second since the last drought, or lately if that is more; over a second at the least."""
        return max(
            (self._admitted - before) / max(_SHORTEST_QUOTA, now - began)
            for began, before in (self._epoch, self._marks[0])
        )

    def cut(self, now: float, *, let_in: int, again: bool, mildest: float = _DEEPEST_CUT) -> float:
        """Refused after ``let_in`` were let in; ``again``: so was the cut before. Returns the rate that was too fast.

        ``mildest``: the pace is not cut below this share.
        """
        refused = self.actual(now)
        self._last_refusal = now
        if self.drought:
            self.rate = max(1 / _LONGEST_GAP, self.rate / _GAP_GROWTH)
        elif again and let_in <= 1 and refused < 0.9 * self.average(now):
            self.drought = True
            self.rate = min(refused, 1 / _FIRST_GAP)
        else:
            self._note_refused(now, refused)
            self.rate = refused * max(mildest, min(let_in / (let_in + 1), _LEAST_CUT))
        self._known = True
        self._lateness /= 4
        self._step_began = now
        self._next = now + 1 / self.rate
        return refused

    def smooth(self, now: float) -> None:
        """Send no faster than a little above what is admitted, so that bursts are not what is refused."""
        began, before = self._marks[0]
        rate = 1.25 * (self._admitted - before) / max(0.1, now - began)
        if self._known and 0 < rate < self.rate:
            self.rate = rate

    def hold(self, until: float) -> None:
        """A refusal is dear here: stay below a rate that was refused before until then."""
        if self._growth == _FIRST_GROWTH:
            self._held_until = max(self._held_until, until)

    def raise_to(self, least: float) -> None:
        """The window lets no more than ``least`` through, so the pace need not hold back as much."""
        if self.rate < least:
            self.rate = least
            self._refused_rate = max(self._refused_rate, least / _CLOSE)

    def be_careful(self) -> None:
        """The refusal costs a pause."""
        self._sent.clear()  # the pause says nothing of the rate
        self._burst = _BURST

    def rest(self, until: float) -> None:
        """Send nothing before ``until``."""
        self._next = max(self._next, until)

    def restore(self, rate: float) -> None:
        """The cuts were for nothing: start again from ``rate``."""
        self.rate = rate
        self.drought = self._known = False
        self._refused_rate = math.inf

    def actual(self, now: float) -> float:
        """What is really sent per second, in short bursts or long runs: ``rate`` is only what may be."""
        times = self._sent
        rates = [
            (count - 1) / (now - times[-count]) for count in (8, 16, 64) if count <= len(times) and now > times[-count]
        ]
        if not rates and len(times) > 1 and now > times[0]:
            rates = [(len(times) - 1) / (now - times[0])]
        return max(0.1, min(self.rate, max(rates, default=self.rate)))

    def _note_refused(self, now: float, rate: float) -> None:
        """Remember the refused rate; one that is refused again at the same level is passed ever more carefully."""
        if abs(rate - self._refused_rate) < 0.15 * rate:
            self._hold = min(_LONGEST_HOLD, self._hold * 1.5)
            self._growth = _FIRST_GROWTH
        else:
            self._hold = _FIRST_HOLD
            self._growth = 5 * _FIRST_GROWTH
        self._held_until = now + self._hold
        self._refused_rate = rate

    def _grow(self, now: float, full: bool) -> None:
        if not self._known:
            if self._held_back:
                self.rate *= 2 ** (min(now - self._step_began, _DOUBLING) / _DOUBLING)
            elif full:
                self.rate = math.inf
            self._step_began = now
            self._held_back = False
            return
        close = self.rate >= _CLOSE * self._refused_rate
        if now - self._step_began < max(0.2 if close else 0.05, 8 / self.rate):
            return
        self._lateness = min(_MOST_CATCH_UP, 0.001 + 1.25 * self._lateness)
        if self._held_back:
            if not close:
                self.rate += 0.5 * (self._refused_rate - self.rate)
            elif now > self._held_until:
                self.rate *= 1 + self._growth
                self._growth = min(1.0, self._growth * 1.5)
        self._held_back = False
        self._step_began = now
