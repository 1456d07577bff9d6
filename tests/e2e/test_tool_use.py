"""The shipped recipe for tool use, end to end against a local server that plays all parts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.tool_use import replay
from synth import RunResult, load_recipe, run
from synth.shipped import shipped
from tests.desk import Desk, Style
from tests.servers import ChatServer


def make(folder: Path, *overrides: str, style: Style = "asks", count: int = 6) -> RunResult:
    with ChatServer(answer=Desk(style).answer) as server:
        local = ("models.teacher.provider=openai", f"models.teacher.base_url={server.url}", "models.teacher.model=m")
        fast = ("models.teacher.concurrency=16", "diversity=off")
        loaded = load_recipe(shipped("recipes") / "tool_use.yaml", overrides=(*local, *fast, *overrides), count=count)
        return run(loaded, run_dir=folder)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "dataset" / "tool_use.jsonl").read_text().splitlines()]


def test_the_shipped_recipe_makes_every_ending(tmp_path: Path) -> None:
    overrides = ("generate.0.refusals=0.3", "generate.0.give_ups=0.3")
    result = make(tmp_path, *overrides, count=24)
    assert result.ending.status == "complete", result.summary
    made = rows(tmp_path)
    assert {row["ending"] for row in made} == {"done", "refused", "withdrawn"}
    for row in made:
        roles = [message["role"] for message in row["messages"]]
        assert roles[:3] == ["system", "user", "assistant"]
        assert roles[-1] == "assistant"
        assert row["messages"][-1]["content"]
        assert "Note:" not in json.dumps(row["messages"])
        assert len(row["tools"]) == 6
        assert bool(row["changes"]) == (row["ending"] == "done")


@pytest.mark.parametrize("style", ["never asks", "acts first"])
def test_an_assistant_that_does_not_ask_is_not_accepted(tmp_path: Path, style: Style) -> None:
    unguided = ("generate.0.guided=false", "generate.0.refusals=0", "generate.0.give_ups=0", "budget.attempts=3")
    assert make(tmp_path / "asks", *unguided, count=2).ending.status == "complete"
    assert make(tmp_path / "does not", *unguided, style=style, count=2).summary["accepted"] == 0


def test_all_solutions_stand_beside_the_best(tmp_path: Path) -> None:
    make(tmp_path, "generate.0.solutions=3", count=2)
    for row in rows(tmp_path):
        assert [one["verdict"] for one in row["solutions"]] == ["stands", "stands"]


def test_a_conversation_that_gets_over_a_fault_is_gold(tmp_path: Path) -> None:
    make(tmp_path, "generate.0.faults={timeout: 0.2, rate_limited: 0.1}", "generate.0.refusals=0", count=6)
    made = rows(tmp_path)
    assert {row["gold"] for row in made} == {True, False}
    for row in made:
        said = "".join(message["content"] or "" for message in row["messages"] if message["role"] == "tool")
        assert row["gold"] == ("did not answer within" in said or "rate limited" in said)


async def test_an_accepted_conversation_can_be_replayed_from_its_row(tmp_path: Path) -> None:
    make(tmp_path, "generate.0.faults={partial: 0.2}", count=4)
    found = await replay(tmp_path)
    assert [(one.same_results, one.end_is_target) for one in found] == [(True, True)] * 4
    path = tmp_path / "dataset" / "tool_use.jsonl"
    row = rows(tmp_path)[0]
    next(message for message in row["messages"] if message["role"] == "tool")["content"] = "{}"
    path.write_text(json.dumps(row) + "\n")
    (spoiled,) = await replay(tmp_path)
    assert not spoiled.same_results


async def test_a_users_own_environment_is_found_beside_the_recipe(tmp_path: Path) -> None:
    mine = tmp_path / "envs" / "mine"
    shutil.copytree(shipped("envs") / "retail", mine)
    with (mine / "env.yaml").open("a", encoding="utf-8") as file:
        file.write("faults: {partial: 0.3}\n")
    with ChatServer(answer=Desk("asks").answer) as server:
        teacher = {"provider": "openai", "base_url": server.url, "model": "m", "concurrency": 16}
        kind = {"kind": "tool_use", "count": 3, "environment": "mine"}
        recipe = {"name": "own", "models": {"m": teacher}, "generate": [kind], "diversity": "off"}
        (tmp_path / "recipe.json").write_text(json.dumps(recipe))
        run(load_recipe(tmp_path / "recipe.json"), run_dir=tmp_path / "run")
    assert any(row["faults"] for row in rows(tmp_path / "run"))
    found = await replay(tmp_path / "run")
    assert [(one.same_results, one.end_is_target) for one in found] == [(True, True)] * 3
