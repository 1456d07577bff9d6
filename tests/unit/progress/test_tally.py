from dataclasses import replace

import pytest

from synth.events import ModelState
from synth.progress.tally import Tally

from .helpers import Clock, call, decided, started


def make(clock: Clock, **earlier: int) -> Tally:
    tally = Tally(clock)
    tally.add(started(**earlier))
    return tally


def test_counts_what_was_decided_and_why_not() -> None:
    tally = make(Clock(), accepted=3, attempts=5)
    for gate in (None, "answer", "copy", "answer"):
        tally.add(decided(gate))
    generator = tally.generators["g"]
    assert (generator.accepted, generator.attempts) == (4, 9)
    assert generator.rejected == {"answer": 2, "copy": 1}


def test_only_calls_that_were_sent_count_as_tokens_and_cost() -> None:
    tally = make(Clock())
    for source in ("sent", "replayed", "cache", "sent"):
        tally.add(call(source=source))
    assert tally.usage.total == 30
    assert tally.cost_usd == pytest.approx(0.02)
    assert not tally.unpriced


def test_calls_of_no_generator_count_in_the_whole() -> None:
    tally = make(Clock())
    tally.add(replace(call(), generator="personas"))
    assert tally.usage.total == 15
    assert tally.cost_usd == pytest.approx(0.01)
    assert tally.generators["g"].cost_usd == 0


def test_a_call_without_a_price_makes_the_cost_unknown() -> None:
    tally = make(Clock())
    tally.add(call(cost=None))
    tally.add(decided())
    assert tally.unpriced
    assert tally.cost_in_all() is None


def test_time_left_follows_the_share_accepted_and_the_speed() -> None:
    clock = Clock()
    tally = make(clock)
    generator = tally.generators["g"]
    assert tally.seconds_left() is None
    for gate in (None, "answer", None, "answer"):  # one attempt in two seconds, every second one accepted
        clock.now += 2
        tally.add(decided(gate))
    assert generator.seconds_left(clock.now) == pytest.approx((10 - 2) * 2 * 2)
    assert tally.seconds_left() == generator.seconds_left(clock.now)


def test_speed_is_that_of_the_last_minute() -> None:
    clock = Clock()
    tally = make(clock)
    for output, seconds in ((1000, 100), (10, 100)):
        for _ in range(seconds):
            clock.now += 1
            tally.add(call(output=output))
    assert tally.tokens_per_second() == pytest.approx(10, rel=0.02)


def test_cost_in_all_goes_by_the_examples_so_far() -> None:
    tally = make(Clock())
    assert tally.cost_in_all() is None
    tally.add(call(cost=0.5))
    tally.add(decided())
    assert tally.cost_in_all() == pytest.approx(5.0)


def test_what_is_made_ready_is_shown_until_it_answers() -> None:
    tally = make(Clock())
    tally.add(ModelState("m", "loading", 1, 2))
    assert list(tally.states) == ["m"]
    tally.add(call())
    assert not tally.states
