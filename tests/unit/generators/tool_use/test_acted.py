"""Tools that a model acts out: scenarios, services that are thought up, and what they would ask."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from synth.environments.vocabulary import RecordedCall, ToolResult, ToolSpec
from synth.example import WorkUnit
from synth.generators.base import Setup
from synth.generators.tool_use.acted import ActedToolUse
from synth.generators.tool_use.choose import make_tool_use
from synth.generators.tool_use.ecosystem import check_ecosystem, tidied, to_tool
from synth.generators.tool_use.scenario import PlannedStep, lifelike_ids, make_workflow
from synth.messages import Tool
from synth.outline import outline
from synth.recipe.kinds.tool_use import ToolUseSpec
from synth.recipe.models import ModelSpec


def call(tool: str, arguments: dict[str, Any], answer: Any, *, error: bool = False) -> RecordedCall:
    return RecordedCall(tool, orjson.dumps(arguments).decode(), ToolResult(orjson.dumps(answer).decode(), error=error))


def test_the_user_knows_what_no_tool_has_shown() -> None:
    said = [
        call("find_member", {"name": "Ines Ortega"}, {"member_id": "M-4711"}),
        call("book_court", {"member_id": "M-4711", "hours": 2, "indoors": True}, {"booking_id": "B-20"}),
    ]
    tools = {name: ToolSpec(Tool(name, "", {}), name == "book_court") for name in ("find_member", "book_court")}
    workflow = make_workflow(said, tools)
    assert {name: fact.text for name, fact in workflow.facts.items()} == {
        "member name": "Ines Ortega",
        "hours": "2",
        "indoors": "yes",
    }
    assert [step.needs for step in workflow.steps] == [("member name",), ("hours", "indoors")]
    assert [step.writes for step in workflow.steps] == [False, True]


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"note": "Please ring twice at the gate", "boat": "Seeadler"}, True),
        ({"note": "ring the bell, two times", "boat": " seeadler"}, True),
        ({"note": "", "boat": "Seeadler"}, False),
        ({"note": "Please ring twice at the gate", "boat": "Seeadler II"}, False),
        ({"boat": "Seeadler"}, False),
    ],
)
def test_what_is_said_in_ones_own_words_only_has_to_be_there(given: dict[str, Any], same: bool) -> None:
    step = PlannedStep("leave_note", {"note": "Please ring twice at the gate", "boat": "Seeadler"}, True, ())
    assert step.done_by(call("leave_note", given, {})) is same
    assert not step.done_by(call("leave_note", given, {"error": "no"}, error=True))


@pytest.mark.parametrize(
    ("planned", "given", "writes", "same"),
    [
        ({"guest": "Ines"}, {"guest": "Ines", "discount": 90}, True, False),
        ({"guest": "Ines"}, {"guest": "Ines", "nights": 14}, True, False),
        ({"guest": "Ines"}, {"guest": "Ines", "nights": 1, "discount": None}, True, True),
        ({"guest": "Ines", "nights": 1}, {"guest": "Ines"}, True, True),
        ({"guest": "Ines", "nights": 2}, {"guest": "Ines"}, True, False),
        ({"guest": "Ines"}, {"guest": "Ines", "discount": 90}, False, True),
        ({"guest": "Ines", "nights": 1}, {"guest": "Ines", "nights": 2}, False, False),
    ],
)
def test_a_change_is_made_with_the_planned_arguments_and_no_others(
    planned: dict[str, Any], given: dict[str, Any], writes: bool, same: bool
) -> None:
    step = PlannedStep("book_room", planned, writes, (), {"nights": 1, "note": None})
    assert step.done_by(call("book_room", given, {})) is same


def test_an_id_that_reads_as_made_up_gets_other_digits_the_same_wherever_it_stands() -> None:
    calls = [
        {"tool": "find_hive", "arguments": {"hive_id": "BK-123", "note": "Row 123"}},
        {"tool": "move_hive", "arguments": {"hive_id": "BK-123", "place_number": "20731", "frames": 123}},
    ]
    found, moved = (call["arguments"] for call in lifelike_ids(calls, random.Random(5)))
    assert re.fullmatch(r"BK-\d{5}", found["hive_id"])
    assert moved["hive_id"] == found["hive_id"]
    assert (found["note"], moved["place_number"], moved["frames"]) == ("Row 123", "20731", 123)


def written(name: str, *, writes: bool = False, parameter: str = "boat_id") -> dict[str, Any]:
    return {
        "name": name,
        "description": f"{name}, as the books have it.",
        "writes": writes,
        "parameters": [{"name": parameter, "type": "string", "description": "As in the books.", "required": True}],
        "results": [{"name": "berth", "type": "string"}],
    }


def test_a_planners_tool_gets_its_schemas() -> None:
    tool = to_tool(written("reserve_berth", writes=True))
    assert tool.writes
    assert tool.tool.parameters == {
        "type": "object",
        "properties": {"boat_id": {"type": "string", "description": "As in the books."}},
        "required": ["boat_id"],
        "additionalProperties": False,
    }
    assert tool.output is not None
    assert tool.output["required"] == ["berth"]


def test_what_a_verb_says_counts_more_than_what_a_planner_says() -> None:
    tools = [written("get_tide", writes=True), written("reserve_berth"), written("weigh_boat", writes=True)]
    made = tidied({"tools": tools, "restriction": {"tool": "reserve_berths", "rule": "must not be used at night"}})
    assert [tool["writes"] for tool in made["tools"]] == [False, True, True]
    assert made["restriction"] == {"tool": "reserve_berth", "rule": "must not be used at night"}


@pytest.mark.parametrize(
    ("tools", "forbidden", "problem"),
    [
        ([("a_b", False), ("c_d", True), ("e_f", True)], "e_f", ""),
        ([("a_b", False), ("a_b", True), ("e_f", True)], "e_f", "two of its tools have the same name"),
        ([("a_b", True), ("c_d", True), ("e_f", True)], "e_f", "none of its tools looks anything up"),
        ([("a_b", False), ("c_d", False), ("e_f", False)], "e_f", "none of its tools changes anything"),
        ([("a_b", False), ("c_d", True)], "a_b", "it has 2 tools; at least 3 are needed"),
        ([("a_b", False), ("c_d", True), ("e_f", True)], "x_y", "its restriction is about 'x_y', which is none of"),
        ([("a_b", False), ("c_d", False), ("e_f", True)], "e_f", "without 'e_f', which it restricts, no wish can be"),
    ],
)
def test_a_program_checks_a_service(tools: list[tuple[str, bool]], forbidden: str, problem: str) -> None:
    made = {
        "tools": [written(name, writes=writes) for name, writes in tools],
        "restriction": {"tool": forbidden, "rule": "must not be used at night"},
    }
    assert check_ecosystem(made).startswith(problem)
    assert bool(check_ecosystem(made)) == bool(problem)


@pytest.mark.parametrize("with_environment", [True, False])
async def test_what_a_conversation_asks_is_known_beforehand(tmp_path: Path, with_environment: bool) -> None:
    parameters = {"type": "object", "properties": {"boat": {"type": "string"}}, "required": ["boat"]}
    tool = {"name": "reserve", "description": "Reserves.", "writes": True, "parameters": parameters}
    (tmp_path / "env.yaml").write_text("name: quay\ndescription: A quay.\nmode: mock\n", encoding="utf-8")
    (tmp_path / "tools.yaml").write_text(yaml.safe_dump({"tools": [tool]}), encoding="utf-8")
    environment = str(tmp_path) if with_environment else None
    spec = ToolUseSpec(kind="tool_use", id="t", count=1, environment=environment)
    generator = make_tool_use(Setup(spec, {"m": ModelSpec(provider="scripted")}, tmp_path), spec)
    assert isinstance(generator, ActedToolUse)
    asked = await outline(spec, generator, WorkUnit("t", "tool_use", 0, 0, None, {}, 7))
    assert asked is not None
    roles = Counter(one.role for one in asked)
    if with_environment:
        assert roles == {"planner": 1, "tool": 1, "assistant": 4, "user": 2}
    else:
        assert roles == {"inventor": 1, "checker": 1, "planner": 1, "tool": 2, "assistant": 8, "user": 5}
