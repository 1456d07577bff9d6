"""Whole runs against a local endpoint: budgets, the cache, secrets, and how a run ends when the endpoint plays up."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from synth import RunResult, load_recipe, run
from synth.errors import UsageError
from synth.events import CallFinished
from tests.servers import Abilities, ChatServer, Faults

KEY = "sk-very-secret-0123456789"


def write_recipe(folder: Path, url: str, count: int = 20, **changes: Any) -> Path:
    recipe: dict[str, Any] = {
        "name": "r",
        "models": {"m": {"provider": "openai", "model": "m", "base_url": url, "concurrency": 128}},
        "generate": [
            {
                "kind": "custom",
                "count": count,
                "steps": [{"as": "answer", "prompt": "Say {{ unit.index }}."}],
                "output": {"messages": [{"role": "assistant", "content": "{{ answer }}"}]},
            }
        ],
        "diversity": "off",
    }
    for where, value in changes.items():
        place = recipe
        *parts, last = where.split("__")
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = value
    path = folder / "recipe.json"
    path.write_bytes(orjson.dumps(recipe))
    return path


def make(path: Path, folder: str = "run", overrides: Sequence[str] = ()) -> RunResult:
    return run(load_recipe(path, overrides=overrides), run_dir=path.parent / folder)


def test_a_budget_in_usd_is_spent_to_the_end_and_never_passed(tmp_path: Path) -> None:
    price = {"input": 100.0, "output": 300.0}
    with ChatServer(Faults(latency=0.02, jitter=0.5), answer=lambda body: "word " * 40) as server:
        path = write_recipe(
            tmp_path,
            server.url,
            count=10_000,
            models__m__price=price,
            models__m__sampling={"max_tokens": 60},
            budget={"usd": 1.0},
        )
        short = make(path)
        sent = server.counts["requests"]
        again = make(path)
    billed = (
        server.counts["prompt_tokens"] * price["input"] + server.counts["completion_tokens"] * price["output"]
    ) / 1e6
    assert (short.ending.status, short.ending.exit_code) == ("short", 3)
    assert "budget.usd is spent" in short.ending.message
    assert billed == pytest.approx(short.summary["cost_usd"], abs=1e-6)
    assert 0.97 <= short.summary["cost_usd"] <= 1.0
    assert (again.ending.status, server.counts["requests"]) == ("short", sent)


def test_a_budget_of_tokens_counts_what_the_run_has_spent_before(tmp_path: Path) -> None:
    with ChatServer() as server:
        path = write_recipe(
            tmp_path, server.url, count=500, budget={"tokens": 2000}, models__m__sampling={"max_tokens": 50}
        )
        short = make(path)
        assert short.ending.status == "short"
        assert sum(short.summary["tokens"].values()) <= 2000
        path = write_recipe(
            tmp_path, server.url, count=500, budget={"tokens": 100_000}, models__m__sampling={"max_tokens": 50}
        )
        done = make(path)
    assert done.ending.status == "complete"
    assert server.counts["requests"] == 500


def test_an_unknown_price_is_an_error_before_the_first_call(tmp_path: Path) -> None:
    with ChatServer() as server:
        path = write_recipe(tmp_path, server.url, budget={"usd": 1.0})
        with pytest.raises(UsageError, match=r"budget\.usd needs a price for models\.m"):
            make(path)
    assert server.counts["requests"] == 0


def test_an_edited_recipe_pays_only_for_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_CACHE", str(tmp_path / "cache"))
    with ChatServer() as server:
        first = make(write_recipe(tmp_path, server.url, cache=True))
        path = write_recipe(tmp_path, server.url, count=30, cache=True, name="edited")
        second = make(path, "other")
    assert (first.ending.status, second.ending.status) == ("complete", "complete")
    assert server.counts["requests"] == 30
    assert second.summary["calls"]["sent"] == 10


def test_no_file_and_no_log_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setenv("SYNTH_CACHE", str(tmp_path / "cache"))
    with ChatServer(abilities=Abilities(api_key=KEY)) as server:
        path = write_recipe(
            tmp_path,
            server.url,
            cache=True,
            models__m__api_key="${TEST_KEY}",
            models__m__headers={"X-Team": "${TEST_KEY}"},
        )
        good = make(path)
        server.abilities.api_key = "another"
        bad = make(write_recipe(tmp_path, server.url, models__m__api_key="${TEST_KEY}"), "bad")
    assert (good.ending.status, bad.ending.status, bad.ending.exit_code) == ("complete", "failed", 1)
    assert "does not accept the API key (401: Incorrect API key provided: Bearer ***)" in bad.ending.message
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 8
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []
    assert KEY not in caplog.text + str(good.summary) + bad.ending.message + bad.ending.hint


def test_an_endpoint_that_asks_for_a_day_ends_its_generators_and_not_the_others(tmp_path: Path) -> None:
    with ChatServer(Faults(busy=1.0, retry_after="86400")) as busy, ChatServer() as well:
        path = write_recipe(tmp_path, well.url)
        recipe = orjson.loads(path.read_bytes())
        recipe["models"]["n"] = {"provider": "openai", "model": "m", "base_url": busy.url}
        other = orjson.loads(orjson.dumps(recipe["generate"][0]))
        other["id"] = "other"
        other["steps"][0]["agent"] = "n"
        recipe["generate"].insert(0, other)
        path.write_bytes(orjson.dumps(recipe))
        result = make(path)
    assert (result.ending.status, result.ending.exit_code) == ("short", 3)
    assert "asks to wait 24 hours" in result.ending.message
    assert result.summary["generators"]["custom"]["accepted"] == 20
    assert result.summary["generators"]["other"]["accepted"] == 0


def test_minutes_end_a_run_short_and_resumable(tmp_path: Path) -> None:
    with ChatServer(Faults(latency=0.05)) as server:
        path = write_recipe(tmp_path, server.url, count=400, budget={"minutes": 0.01}, models__m__concurrency=4)
        short = make(path)
        path = write_recipe(tmp_path, server.url, count=400, models__m__concurrency=4)
        done = make(path, overrides=["models.m.concurrency=128"])
    assert (short.ending.status, short.ending.exit_code) == ("short", 3)
    assert "budget.minutes" in short.ending.message
    assert done.ending.status == "complete"
    assert server.counts["requests"] == 400


def test_nothing_is_lost_under_every_fault_at_once(tmp_path: Path) -> None:
    faults = Faults(
        latency=0.01,
        busy=0.10,
        retry_after="0.05",
        server_error=0.03,
        hang=0.01,
        drop=0.01,
        malformed=0.03,
        truncated=0.02,
        seed=3,
    )
    with ChatServer(faults) as server:
        result = make(write_recipe(tmp_path, server.url, count=300, models__m__timeout=0.5))
    assert result.ending.status == "complete"
    assert result.summary["calls"]["retried"] == server.counts["requests"] - 300
    rows = [row["messages"][-1]["content"] for row in result.rows()]
    assert rows == [f"Say {index}." for index in range(300)]


def test_a_server_that_goes_away_for_good_ends_the_run_resumable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth.models.retry._LONGEST_WAIT", 0.02)
    answers = 0

    def stop_in_the_middle(event: object) -> None:
        nonlocal answers
        answers += isinstance(event, CallFinished)
        if answers == 60:
            server.stop()

    with ChatServer(Faults(latency=0.02)) as server:
        path = write_recipe(tmp_path, server.url, count=200, models__m__concurrency=8)
        failed = run(load_recipe(path), run_dir=tmp_path / "run", listener=stop_in_the_middle)
        server.restart()
        done = make(path)
    assert (failed.ending.status, failed.ending.exit_code) == ("failed", 1)
    assert "20 calls in a row failed" in failed.ending.message
    assert "nothing accepts connections" in failed.ending.message or "the connection to" in failed.ending.message
    assert "it resumes" in failed.ending.hint
    assert (done.ending.status, done.summary["accepted"]) == ("complete", 200)
    assert server.counts["requests"] <= 200 + 8  # what was in flight when it went away is sent again, and no more


def test_a_clock_that_jumps_by_a_day_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, jumps = time.time, itertools.cycle([0.0, 86_400.0, -86_400.0])
    with ChatServer(Faults(latency=0.01, busy=0.05, retry_after="0.05", seed=1)) as server:
        path = write_recipe(tmp_path, server.url, count=100, budget={"minutes": 5}, models__m__timeout=5)
        monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
        result = make(path)
    assert (result.ending.status, result.summary["accepted"]) == ("complete", 100)
    assert 0 <= result.summary["seconds"] < 60
