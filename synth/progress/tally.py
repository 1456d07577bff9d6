"""What a run has come to so far, added up from its events."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from synth.events import CallFinished, Event, ModelState, RunStarted, UnitDecided
from synth.messages import Usage

_WINDOW = 60.0
"""Seconds that speeds are measured over."""
_STEP = 1.0
_FIRST_SPEED = 2.0
"""Seconds before which a speed is noise."""


class Speed:
    """Something counted, and how much of it came per second of late."""

    def __init__(self, started: float) -> None:
        self.total = 0
        self._marks: deque[tuple[float, int]] = deque([(started, 0)])

    def add(self, amount: int, now: float) -> None:
        self.total += amount
        if now - self._marks[-1][0] >= _STEP:
            self._marks.append((now, self.total))
            while len(self._marks) > 2 and now - self._marks[1][0] > _WINDOW:
                self._marks.popleft()

    def per_second(self, now: float) -> float | None:
        """Over the last minute; None while that is too soon to say."""
        since, before = self._marks[0]
        return (self.total - before) / (now - since) if now - since >= _FIRST_SPEED else None


@dataclass(slots=True)
class GeneratorTally:
    """One generator. ``accepted`` and ``attempts`` are over all invocations of the run, the rest is of this one.

    ``tokens`` are those that models wrote, ``decided`` is attempts.
    """

    id: str
    requested: int
    accepted: int
    attempts: int
    tokens: Speed
    decided: Speed
    rejected: Counter[str] = field(default_factory=Counter)
    cost_usd: float = 0.0

    @property
    def done(self) -> bool:
        return self.accepted >= self.requested

    def seconds_left(self, now: float) -> float | None:
        """Until the count is met, going by the share accepted so far and the speed of late; None where unknown."""
        if self.done:
            return 0.0
        speed = self.decided.per_second(now)
        if not speed or not self.accepted:
            return None
        return (self.requested - self.accepted) * self.attempts / self.accepted / speed


class Tally:
    """Adds up events. May be told and asked from different threads, each holding ``lock``.

    ``states`` is what is being made ready, by model. ``usage`` and ``cost_usd`` are over all invocations of the run;
    ``calls`` are the answers that models gave in this one; ``unpriced`` says that some calls have no known price.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = Lock()
        self.generators: dict[str, GeneratorTally] = {}
        self.states: dict[str, ModelState] = {}
        self.usage = Usage()
        self.cost_usd = 0.0
        self.calls = 0
        self.unpriced = False
        self.started = clock()
        self._clock = clock

    def add(self, event: Event) -> None:
        match event:
            case CallFinished():
                self._add_call(event)
            case UnitDecided(generator=name, gate=gate):
                generator = self.generators[name]
                generator.attempts += 1
                generator.decided.add(1, self._clock())
                if gate is None:
                    generator.accepted += 1
                else:
                    generator.rejected[gate] += 1
            case ModelState():
                self.states[event.model] = event
            case RunStarted():
                now = self._clock()
                self.usage, self.cost_usd = event.usage, event.cost_usd
                self.generators = {
                    name: GeneratorTally(
                        name, count, event.accepted[name], event.attempts[name], Speed(now), Speed(now)
                    )
                    for name, count in event.requested.items()
                }
            case _:
                pass

    def _add_call(self, call: CallFinished) -> None:
        if self.states:
            self.states.clear()  # whatever was being made ready answers
        if call.source != "sent":
            return
        self.calls += 1
        self.usage += call.usage
        self.unpriced = self.unpriced or call.cost_usd is None
        self.cost_usd += call.cost_usd or 0.0
        generator = self.generators.get(call.generator)
        if generator is not None:  # personas and embeddings are of none
            generator.tokens.add(call.usage.output, self._clock())
            generator.cost_usd += call.cost_usd or 0.0

    def now(self) -> float:
        return self._clock()

    def elapsed(self) -> float:
        """Seconds since this invocation began."""
        return self._clock() - self.started

    def seconds_left(self) -> float | None:
        """Until every generator has its count; None while one of them cannot say."""
        now = self._clock()
        left = [generator.seconds_left(now) for generator in self.generators.values()]
        known = [seconds for seconds in left if seconds is not None]
        return max(known, default=None) if len(known) == len(left) else None

    def tokens_per_second(self, generator: GeneratorTally | None = None) -> float | None:
        now = self._clock()
        chosen = [generator] if generator is not None else list(self.generators.values())
        speeds = [one.tokens.per_second(now) for one in chosen]
        known = [speed for speed in speeds if speed is not None]
        return sum(known) if known else None

    def cost_in_all(self) -> float | None:
        """USD of the whole run in the end, going by the examples so far; None where that is unknown."""
        accepted = sum(generator.accepted for generator in self.generators.values())
        if self.unpriced or not accepted:
            return None
        requested = sum(generator.requested for generator in self.generators.values())
        return self.cost_usd * max(1.0, requested / accepted)
