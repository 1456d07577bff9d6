import re

from synth.events import ModelState, Warned
from synth.progress.notebook import NotebookProgress

from .helpers import Clock, call, decided, finished, started


def test_one_output_is_replaced_a_few_times_a_second() -> None:
    shown: list[str] = []
    clock = Clock()
    progress = NotebookProgress(shown.append, clock=clock)
    progress(started(requested=100))
    for _ in range(100):
        clock.now += 0.01
        progress(call())
        progress(decided())
    assert 3 <= len(shown) <= 6
    assert re.search(r"\b[89]\d/100\b", shown[-1])
    assert "\x1b" not in shown[-1]


def test_warnings_stay_above_and_the_end_is_the_table() -> None:
    shown: list[str] = []
    progress = NotebookProgress(shown.append, clock=Clock())
    progress(ModelState("m", "downloading", 1, 2))
    progress(Warned("slow"))
    progress(Warned("slow"))
    progress(finished())
    assert shown[-1].startswith("warning: slow\nAn accepted example")
    assert shown[-1].count("slow") == 1
    assert "complete: 4 of 10" in shown[-1]
