from __future__ import annotations

from synth.models.pause import Pause


def test_a_pause_is_held_to_its_end_and_the_longest_counts() -> None:
    pause = Pause()
    assert pause.begin(1, 100, 2) == 2
    assert pause.begin(2, 101, 3) == 2
    assert pause.begin(3, 101, 1) == 0
    assert (pause.left(101), pause.left(103.5), pause.left(104)) == (3, 0.5, 0)


def test_an_answer_to_an_earlier_request_says_nothing() -> None:
    pause = Pause()
    pause.begin(5, 100, 2)
    assert pause.answered(4, 100.5) == 0
    assert pause.left(100.5) == 1.5


def test_an_answer_to_a_later_request_lifts_it_and_the_next_are_not_held() -> None:
    pause = Pause()
    pause.begin(5, 100, 2)
    assert pause.answered(6, 100.5) == 1.5
    assert pause.left(100.5) == 0
    assert pause.begin(9, 101, 2) == 0


def test_an_answer_between_two_refusals_lifts_what_the_second_asks_too() -> None:
    pause = Pause()
    pause.begin(5, 100, 2)
    pause.begin(7, 100.5, 2)
    assert pause.answered(6, 101) == 1.5
    assert pause.left(101) == 0


def test_pauses_are_held_again_when_contradictions_fail_to_come() -> None:
    pause = Pause()
    pause.begin(5, 100, 2)
    pause.answered(6, 100.5)
    added = [pause.begin(number, 101, 2) for number in range(10, 27)]
    assert added == [0] * 16 + [2]
