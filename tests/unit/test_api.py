"""The Python API: what ``import synth`` offers, and what it costs."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

import synth
from synth.errors import SynthError
from synth.events import Event, RunFinished, RunStarted, UnitDecided, Warned

RECIPE = """\
name: t
models:
  m: {provider: scripted}
generate:
  - kind: custom
    id: raw
    count: 3
    steps: [{as: draft, prompt: "Say {{ unit.index }}"}]
    output: {messages: [{role: user, content: hi}, {role: assistant, content: "{{ draft }}"}]}
diversity: "off"
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text(RECIPE)
    return "recipe.yaml"


def test_public_names() -> None:
    names = ["LoadedRecipe", "RecipeError", "RunResult", "SynthError", "load_recipe", "run", "show_progress"]
    assert synth.__all__ == names
    assert all(getattr(synth, name) is not None for name in names)
    assert set(names) <= set(dir(synth))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        synth.nothing  # noqa: B018


def test_import_costs_nothing() -> None:
    code = "import sys, synth; print([name for name in sys.modules if name.startswith('synth')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['synth']\n"


def test_run_gives_the_rows(recipe: str) -> None:
    result = synth.run(synth.load_recipe(recipe), run_dir="here")
    assert result.ending.status == "complete"
    assert result.run_dir == Path("here")
    assert [row["messages"][1]["content"] for row in result.rows("raw")] == ["Say 0", "Say 1", "Say 2"]
    assert list(result.rows()) == list(result.rows("raw"))


def test_run_inside_an_event_loop(recipe: str) -> None:
    async def cell() -> str:
        return synth.run(synth.load_recipe(recipe)).ending.status

    assert asyncio.run(cell()) == "complete"


def test_errors_are_raised_inside_an_event_loop_too(recipe: str) -> None:
    async def cell() -> None:
        synth.run(synth.load_recipe(recipe), resume="require")

    with pytest.raises(synth.SynthError, match="holds no run to resume"):
        asyncio.run(cell())


def test_a_listener_hears_everything(recipe: str) -> None:
    heard: list[Event] = []
    synth.run(synth.load_recipe(recipe), listener=heard.append)
    assert isinstance(heard[0], RunStarted)
    assert isinstance(heard[-1], RunFinished)
    assert sum(isinstance(event, UnitDecided) for event in heard) == 3


def test_a_listener_that_is_a_context_is_entered(recipe: str) -> None:
    class Watch(AbstractContextManager["Watch"]):
        def __init__(self) -> None:
            self.heard: list[str] = []

        def __enter__(self) -> "Watch":
            self.heard.append("enter")
            return self

        def __exit__(self, *_: object) -> None:
            self.heard.append("exit")

        def __call__(self, event: Event) -> None:
            self.heard.append(type(event).__name__)

    watch = Watch()
    synth.run(synth.load_recipe(recipe), listener=watch)
    assert watch.heard[:2] == ["enter", "RunStarted"]
    assert watch.heard[-2:] == ["RunFinished", "exit"]


def test_a_listener_that_fails_ends_no_run(recipe: str, caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("the display is broken")

    assert synth.run(synth.load_recipe(recipe), listener=fail).ending.status == "complete"
    assert len(caplog.records) == 1
    assert "the run goes on without it" in caplog.text


@pytest.mark.parametrize("check", ["", ", check: 'assert draft'"])
def test_where_the_sandbox_is_weak_it_is_said(recipe: str, check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.sandbox.program.protection", lambda: ("limits", "audit", "seccomp"))
    Path(recipe).write_text(RECIPE.replace('}}"}]\n    output', f'}}}}"{check}}}]\n    output'))
    events: list[Event] = []
    synth.run(synth.load_recipe(recipe), listener=events.append)
    said = [event.message for event in events if isinstance(event, Warned)]
    assert [one.partition(":")[0] for one in said] == (
        ["programs that models write run here without landlock"] if check else []
    )


def test_interrupting_a_cell_ends_its_run(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook interrupts the thread that waits; the run itself is at work in another."""
    Path("answers.yaml").write_text("- {match: Say 2, answer: late, delay: 900}\n- {rule: echo}\n")
    Path(recipe).write_text(RECIPE.replace("scripted}", "scripted, answers: answers.yaml}"))
    join, interrupted = threading.Thread.join, threading.Event()

    def join_until_interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        if thread.name == "synth-run" and not interrupted.is_set():
            while not Path("runs/t/run.sqlite").exists():
                time.sleep(0.005)
            interrupted.set()
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", join_until_interrupted)

    async def cell() -> synth.RunResult:
        return synth.run(synth.load_recipe(recipe))

    result = asyncio.run(cell())
    assert result.ending.status == "interrupted"
    assert result.summary["accepted"] < 3


def test_show_progress_is_plain_where_nothing_can_change(
    recipe: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    synth.run(synth.load_recipe(recipe), listener=synth.show_progress())
    said = capsys.readouterr()
    assert said.out == ""
    assert "complete: 3 of 3" in said.err


def test_types_are_those_of_the_modules() -> None:
    run: Callable[..., synth.RunResult] = synth.run
    assert run.__module__ == "synth.job"
    assert issubclass(synth.RecipeError, SynthError)
    with nullcontext(synth.load_recipe) as load:
        assert load.__module__ == "synth.recipe.load"
