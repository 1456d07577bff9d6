"""Runs that are interrupted, killed and resumed come to the dataset of a run that nobody disturbed."""

import json
import random
import signal
from hashlib import sha256
from pathlib import Path

import pytest

from synth.errors import EXIT_INTERRUPTED

from .conftest import Folder

FILES = ("dataset/raw.jsonl", "rejected.jsonl")


def hashes(run: Path) -> list[str]:
    return [sha256(run.joinpath(name).read_bytes()).hexdigest() for name in FILES]


@pytest.fixture
def undisturbed(folder: Folder) -> list[str]:
    """What the recipe comes to when it is left alone."""
    assert folder.synth("run", "recipe.yaml", "--run-dir", "alone").returncode == 0
    return hashes(folder.path / "alone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_so_that_it_can_go_on(
    folder: Folder, undisturbed: list[str], number: signal.Signals
) -> None:
    # The last answers never come: whoever waited for them would not end.
    slow = "- {match: '^Judge [2-9]\\d', json: {ok: true}, delay: 900}\n"
    answers = folder.read("answers.yaml")
    folder.write("answers.yaml", slow + answers)
    with folder.start("run", "recipe.yaml") as running:
        folder.wait_for_calls(20)
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (EXIT_INTERRUPTED, "")
    assert "interrupted: what was answered is kept" in err
    assert "to resume: synth run recipe.yaml" in err
    assert "Traceback" not in err
    summary = json.loads(folder.read("runs/t/summary.json"))
    assert summary["status"] == "interrupted"
    assert 0 < summary["accepted"] == folder.read("runs/t/dataset/raw.jsonl").count("\n") < 40

    folder.write("answers.yaml", answers)
    again = folder.synth("run", "recipe.yaml", "--resume", "require")
    assert again.returncode != 0  # the answers file is part of what examples depend on
    assert "answers.yaml" in again.stderr


def test_an_interrupted_run_goes_on_to_the_same_dataset(folder: Folder, undisturbed: list[str]) -> None:
    with folder.start("run", "recipe.yaml") as running:
        folder.wait_for_calls(30)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)
    assert running.returncode == EXIT_INTERRUPTED
    sent = json.loads(folder.read("runs/t/summary.json"))["calls"]["sent"]
    assert folder.synth("run", "recipe.yaml", "--resume", "require").returncode == 0
    assert hashes(folder.path / "runs/t") == undisturbed
    summary = json.loads(folder.read("runs/t/summary.json"))
    alone = json.loads(folder.read("alone/summary.json"))
    assert sent >= 30
    assert summary["tokens"]["input"] >= alone["tokens"]["input"]


def test_a_killed_run_goes_on_to_the_same_dataset(folder: Folder, undisturbed: list[str]) -> None:
    moments = random.Random(7)
    for kill_after in sorted(moments.sample(range(1, 90), 4)):
        with folder.start("run", "recipe.yaml") as running:
            folder.wait_for_calls(kill_after)
            running.kill()
            running.communicate(timeout=30)
        assert running.returncode == -signal.SIGKILL
    assert "unfinished" in folder.synth("status", "runs/t").stdout
    assert folder.synth("run", "recipe.yaml").returncode == 0
    assert hashes(folder.path / "runs/t") == undisturbed


@pytest.mark.parametrize("concurrency", [1, 16])
def test_concurrency_changes_nothing(folder: Folder, undisturbed: list[str], concurrency: int) -> None:
    words = ("--set", f"models.teacher.concurrency={concurrency}", "--run-dir", "other")
    assert folder.synth("run", "recipe.yaml", *words).returncode == 0
    assert hashes(folder.path / "other") == undisturbed


def test_a_higher_count_goes_on_from_a_lower_one(folder: Folder, undisturbed: list[str]) -> None:
    assert folder.synth("run", "recipe.yaml", "--count", "11").returncode == 0
    raised = folder.synth("run", "recipe.yaml")
    assert raised.returncode == 0
    assert "11 of them there already" in raised.stderr
    assert hashes(folder.path / "runs/t") == undisturbed
