"""Learning how much an endpoint takes when nobody says: a window of requests in flight, and a pace of sending.

Servers refuse (429, 503) for two different reasons: too many requests at once, or too many in a time. A window alone
cannot hold a rate and a pace alone cannot hold a number of places, so both are learnt. The ideas are those of
congestion control: slow start, pacing instead of bursts, additive increase, one decrease per round trip (Jacobson,
"Congestion Avoidance and Control", 1988), a remembered bad level that is approached quickly and passed rarely (CUBIC,
RFC 9438). What differs: a refusal comes back within milliseconds while its neighbours are still being answered, so
it shows how many the endpoint holds, and the share let in between refusals shows how much too fast the pace is.

Some endpoints refuse whatever is sent to them (a broken replica behind a balancer). When cut after cut brings no
relief while most requests are let in, the refusals are *noise*: the cuts are taken back and no more are made until
refusals become much more frequent, or stop.

All times are seconds of a monotonic clock, given by the caller; nothing here waits.
"""

from __future__ import annotations

import math

from synth.models.flight import Flight
from synth.models.pace import Pace
from synth.models.window import Window

_MILD = 0.9  # of the pace, while the window may be to blame as well
_LONGEST_REST = 0.05
_NOISE_CUTS = 6
_ENOUGH = 20  # requests let in, to tell a rate
_FAR_BELOW = 0.5
_CALM = 30  # admitted in a row, after which the next refusal is a new matter
_MEMORY = 0.98
_BEGINNING = 16  # requests; a refusal among them says too little: one of the first few would be taken for the level
_CAUTION = 20.0  # seconds near a refused rate for each second that a refusal costs


class Congestion:
    """The state for one endpoint. ``ceiling`` is the most requests in flight that the user allows."""

    def __init__(self, ceiling: int) -> None:
        self.window = Window(ceiling)
        self.pace = Pace()
        self.noisy = False
        self._sent = 0
        self._admitted = 0
        self._cut = 0  # flights up to this one were sent before the last cut
        self._cut_window = False
        self._cuts_in_a_row = 0
        self._let_in = 0  # sent since the last cut and not refused
        self._run: _Run | None = None
        self._calm = 0
        self._share = 0.0  # of requests refused, lately
        self._noise = 0.0
        self._latency = math.inf  # the least seen

    def delay(self, now: float, in_flight: int) -> float:
        """Seconds until one more may be sent: 0 for now, infinite for not before another is over."""
        return math.inf if in_flight >= self.window.limit else self.pace.delay(now)

    def sent(self, now: float) -> int:
        """One more is sent; returns its number."""
        self._sent += 1
        self._let_in += 1
        window = self.window
        self.pace.sent(now, full=window.limit >= window.ceiling and self._admitted > 4 * window.ceiling)
        return self._sent

    def admit(self, flight: Flight, now: float, *, waiting: bool, steps: int = 1) -> None:
        """``flight`` is answered, or old enough to be sure of; ``waiting``: more would be sent if there were room.

        ``steps`` is by how much the window grows at first.
        """
        flight.admitted = True
        fresh = flight.number > self._cut
        self._admitted += 1
        self._latency = min(self._latency, now - flight.sent_at)
        self._calm += 1
        self._share *= _MEMORY
        if fresh:
            self._cuts_in_a_row = 0
        self.pace.admitted(now, flight.sent_at, fresh=fresh)
        if self._calm >= _CALM:
            self._run = None
            self.noisy = self.noisy and self._calm < 5 * _CALM
        if waiting:
            self.window.grow(flight.place, fresh=fresh, steps=steps)

    def refuse(self, flight: Flight, now: float, others: int, *, asked: float = 0.0, paused: float = 0.0) -> None:
        """``flight`` was refused while ``others`` were in flight.

        It was ``asked`` to wait so many seconds (0: nothing was said), and all others are ``paused`` for so many.
        """
        self._calm = 0
        self._share = self._share * _MEMORY + (1 - _MEMORY)
        if self._run is not None:
            self._run.refused += 1
        if self.noisy and self._share < 2 * self._noise + 0.1:
            return
        self.noisy = False
        if flight.number <= self._cut:  # sent before the last cut, so it only makes that cut more exact
            if self._cut_window:
                self.window.narrow(others)
            return
        self._let_in -= 1
        if flight.number <= _BEGINNING:
            self.window.restore(max(1, min(self.window.limit, others)))
        else:
            self._decrease(flight, now, others)
            if paused:
                self.window.be_careful()
                self.pace.be_careful()
        if asked:
            self.pace.hold(now + _CAUTION * asked)
        if self._run is not None:
            self._run.paused += paused
        self.pace.rest(now + min(_LONGEST_REST, now - flight.sent_at))  # until what is under way has been heard of
        self._cut = self._sent
        self._let_in = 0

    def resumed(self, seconds: float) -> None:
        """So much of a pause is taken back, because the endpoint did not mean it: trying more costs little."""
        self.window.strikes = 0
        if self._run is not None:
            self._run.paused -= seconds

    def stalled(self, flight: Flight) -> None:
        """``flight`` is lost, and the endpoint answers nothing else either: it may have been given too much."""
        if flight.number > self._cut:
            self.window.narrow(self.window.limit // 2)
            self._cut = self._sent
            self._cut_window = False
            self._let_in = 0

    def _decrease(self, flight: Flight, now: float, others: int) -> None:
        window, pace = self.window, self.pace
        # Where the pace is what holds back, the window is never full and cannot be to blame.
        to_blame = not window.held or flight.place > 0.8 * window.limit
        self._cut_window = not pace.drought and others < window.limit and to_blame
        trial = self._cut_window and window.is_trial(flight.place)
        if self._cut_window:
            window.cut(others, trial=trial)
        if trial and window.strikes >= 2:
            pace.smooth(now)
            return
        self._cuts_in_a_row += 1
        again = self._cuts_in_a_row > 1
        if self._cut_window and self._cuts_in_a_row <= 3:
            refused = pace.cut(now, let_in=self._let_in, again=again, mildest=_MILD)
            if self._cut == 0:  # the first few answers came late, and the pace until then says little
                pace.raise_to(window.limit / self._latency)
        else:
            refused = pace.cut(now, let_in=self._let_in, again=again)
        self._watch_for_noise(now, refused)

    def _watch_for_noise(self, now: float, rate: float) -> None:
        run = self._run
        if run is not None and 2 * run.refused > self._sent - run.began:
            run = None  # so much is refused only by a limit
        if run is None and self._let_in >= 2:
            run = _Run(self.window.limit, rate, self._sent - min(self._let_in, 9) - 1, now)
        self._run = run
        if run is None:
            return
        run.cuts += 1
        let_in = self._sent - run.began - run.refused
        if let_in >= _ENOUGH:
            run.let_in_rate = max(run.let_in_rate, let_in / max(1e-3, now - run.began_at - run.paused))
        # A limit on the rate lets in as much as ever, and then the pace is not far below it.
        if run.cuts > _NOISE_CUTS and min(self.pace.rate, self.pace.actual(now)) < _FAR_BELOW * run.let_in_rate:
            self.noisy = True
            self._noise = self._share = run.refused / (self._sent - run.began)
            self.window.restore(run.window)
            self.pace.restore(run.rate)
            self._run = None


class _Run:
    """Cuts that follow each other closely, and the state before them."""

    __slots__ = ("began", "began_at", "cuts", "let_in_rate", "paused", "rate", "refused", "window")

    def __init__(self, window: int, rate: float, began: int, now: float) -> None:
        self.window = window
        self.rate = rate
        self.began = began
        self.began_at = now
        self.paused = 0.0
        self.refused = 1
        self.cuts = 0
        self.let_in_rate = 0.0
