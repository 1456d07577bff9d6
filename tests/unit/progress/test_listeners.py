"""What the three listeners write, to a terminal, a pipe and a machine."""

import io
from collections.abc import Iterable

import orjson
import pytest
from rich.console import Console

from synth.events import Event, ModelState, Stopping, Warned
from synth.progress.ending import GeneratorTable
from synth.progress.json_lines import JsonProgress
from synth.progress.lines import PlainProgress
from synth.progress.live import LiveProgress
from synth.progress.stream import CleanStream

from .helpers import Clock, call, decided, finished, started


def plain(events: Iterable[Event | float], resume: str = "") -> list[str]:
    """The lines that come of events; a number lets so many seconds pass."""
    out, clock = io.StringIO(), Clock()
    stream = CleanStream(out)
    with PlainProgress(Console(file=stream.as_text_io(), width=100), clock=clock, resume=resume) as progress:
        for event in events:
            if isinstance(event, float):
                clock.now += event
            else:
                progress(event)
    return out.getvalue().splitlines()


def test_plain_lines_are_rare() -> None:
    lines = plain([started(), *[event for _ in range(39) for event in (0.25, call(), decided())]])
    assert lines[0] == "t → runs/t: g 10"
    assert len(lines) == 2
    assert lines[1].startswith("5.0 s · g 19/10")


def test_plain_lines_say_every_warning_and_phase_once() -> None:
    events: list[Event | float] = [Warned("slow"), ModelState("m", "downloading", 0, 491_000_000), Warned("slow")]
    events += [ModelState("m", "downloading", 5, 491_000_000), Stopping("interrupted")]
    assert plain(events) == [
        "warning: slow",
        "m: downloading (491 MB)",
        "interrupted: what was answered is kept",
    ]


def test_a_run_that_goes_on_says_what_is_there() -> None:
    assert plain([started(accepted=3, attempts=5)]) == ["t → runs/t: g 10, 3 of them there already"]


def test_the_end_has_a_table_an_example_and_where_the_files_are() -> None:
    text = "\n".join(plain([finished()]))
    assert "An accepted example (g-000000 · cot · seed bakery · vote 0.667 · mood calm):" in text
    assert "    Answer: [22]" in text
    assert [*"g 10 4 7 answer".split(), "2,"] == text.splitlines()[-5].split()[:6]
    assert "  took: 14 calls, 150 tokens, $0.25, 12 s" in text
    assert "  planned: 20 calls, 300 tokens, cost unknown, 30 s, if nothing is rejected" in text
    assert "complete: 4 of 10 in 12 s" in text
    assert "files: runs/t/dataset/*.jsonl" in text
    assert "resume" not in text


def test_an_end_that_is_short_says_why_and_how_to_go_on() -> None:
    lines = plain([finished("short", "the attempts ran out", "raise budget.attempts")], resume="synth run a.yaml")
    assert lines[-3:] == [
        "  why: the attempts ran out",
        "  what to do: raise budget.attempts",
        "  to resume: synth run a.yaml",
    ]


def test_what_a_run_has_come_to_the_end_of_is_not_resumed() -> None:
    hint = "give more seeds, axes or personas, and another --run-dir"
    lines = plain([finished("short", "there is little new to be had", hint, final=True)], resume="synth run a.yaml")
    assert lines[-1] == f"  what to do: {hint}"


def test_every_event_is_a_json_object_on_a_line() -> None:
    out, clock = io.StringIO(), Clock()
    events: list[Event] = [started(), call(), decided("answer"), Warned("slow"), Stopping("why"), finished()]
    events.append(finished("interrupted"))
    with JsonProgress(CleanStream(out), clock=clock, resume="synth run a.yaml") as progress:
        for event in events:
            progress(event)
            clock.now += 1
    rows = [orjson.loads(line) for line in out.getvalue().splitlines()]
    names = ["run_started", "call_finished", "unit_decided", "warned", "stopping", "run_finished", "run_finished"]
    assert [row["event"] for row in rows] == names
    assert [row["time"] for row in rows] == [0, 1, 2, 3, 4, 5, 6]
    assert rows[0]["run_dir"] == "runs/t"
    assert rows[1]["usage"] == {"input": 5, "output": 10}
    assert rows[5]["summary"]["status"] == "complete"
    assert [row["hint"] for row in rows[5:]] == ["", "to resume: synth run a.yaml"]


@pytest.mark.parametrize("width", [40, 60, 72, 80, 100, 140])
def test_the_table_of_generators_keeps_every_number_at_any_width(width: int) -> None:
    row = finished().summary["generators"]["g"] | {"requested": 1_200_000}
    rows = {"a-generator-with-a-name-that-is-long": row, "other": row | {"rejected": {"undelivered": 12}}}
    out = io.StringIO()
    Console(file=out, width=width).print(GeneratorTable(rows, with_cost_from=72))
    lines = out.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    assert all(number in out.getvalue() for number in ("1,200,000", "2,400,000", "14", "undelivered"))
    assert ("$0.50" in out.getvalue()) == (width >= 72)
    assert ("rejected by" in lines[0]) == (width >= 60)


def show_live(events: Iterable[Event], width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, legacy_windows=False)
    progress = LiveProgress(console, resume="synth run a.yaml")
    for event in events:
        progress(event)
    with console.capture() as capture:
        console.print(progress.render())
    return capture.get()


def test_the_live_display_fits_any_width() -> None:
    events: list[Event] = [started(), call(), decided(), *[decided(gate) for gate in ("answer", "answer", "copy")]]
    events.append(ModelState("teacher", "downloading", 100_000_000, 491_000_000))
    for width in (20, 40, 60, 80, 100, 200):
        assert all(len(line) <= width for line in show_live(events, width).splitlines())
    wide = show_live(events, 120)
    assert "1/10" in wide
    assert "rejected: answer 2, copy 1" in wide
    assert "100 of 491 MB" in wide
    assert "$0.010 of about $0.10" in wide
    assert "3 rejected" in show_live(events, 60)


def test_the_live_display_says_that_it_is_stopping() -> None:
    assert "interrupted: what was answered is kept" in show_live([started(), Stopping("interrupted")], 100)


def test_secrets_are_never_written() -> None:
    out = io.StringIO()
    stream = CleanStream(out)
    stream.hide(["sk-123456", ""])
    with JsonProgress(stream) as progress:
        progress(Warned("the key sk-123456 is refused"))
    assert "sk-123456" not in out.getvalue()
    assert "the key *** is refused" in out.getvalue()


def test_a_stream_that_is_not_utf8_gets_what_it_can_show() -> None:
    raw = io.BytesIO()
    stream = CleanStream(io.TextIOWrapper(raw, encoding="ascii", newline="\n"))
    stream.write("a → b · c … 変\n")
    stream.flush()
    assert raw.getvalue() == b"a > b - c . \\u5909\n"
