"""``tool_use`` with tools that a model acts out, and with those of a real MCP server: whole runs, scripted models."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from synth import load_recipe, run
from synth.job import RunResult
from tests.servers import ChatServer

NOTES = Path(__file__).parent / "mcp_notes.py"
CLUB = """
tools:
  - name: find_member
    description: Finds a member of the club by name.
    parameters: {type: object, properties: {name: {type: string}}, required: [name]}
    output: {type: object, properties: {member_id: {type: string}}, required: [member_id], additionalProperties: false}
  - name: book_court
    description: Books a court for a member.
    writes: true
    parameters:
      type: object
      properties: {member_id: {type: string}, day: {type: string}, hour: {type: string}}
      required: [member_id, day, hour]
    output: {type: object, properties: {booking_id: {type: string}}, required: [booking_id]}
  - {name: cancel_court, description: Cancels a booking., writes: true, parameters: {type: object, properties: {booking_id: {type: string}}}}
"""  # noqa: E501
COURT = {
    "calls": [
        {"tool": "find_member", "arguments": {"name": "Ines Ortega"}},
        {"tool": "book_court", "arguments": {"member_id": "M-1", "day": "2026-05-02", "hour": "18:30"}},
    ],
    "goal": "I want a court on a Saturday evening.",
    "opening": "Hi, could I get a court one of these days?",
}
NOTE = {
    "calls": [{"tool": "add_note", "arguments": {"text": "herons seen", "priority": 3}}],
    "goal": "I want something written down.",
    "opening": "Hello, could you write something down?",
}


class Troupe:
    """Plays everyone. ``wish`` is what the planner says; ``say`` is the assistant, told what it heard."""

    def __init__(self, wish: dict[str, Any], answers: dict[str, Any] | None = None) -> None:
        self.wish = wish
        self.answers = answers or {}
        self.acted: Counter[str] = Counter()
        self.invented = 0
        self.say: Callable[[dict[str, Any], dict[str, str]], str | dict[str, Any]] = silent

    def answer(self, body: dict[str, Any]) -> str | dict[str, Any]:
        messages = body["messages"]
        text = str(messages[-1]["content"] or "")
        if "tools" in body:
            return self.say(body, heard(messages))
        if "You write what the agent" in messages[0]["content"]:
            return follow(text, heard(spoken(text)))
        if "Invent one wish" in text:
            return orjson.dumps(self.wish).decode()
        if "Invent one service" in text:
            self.invented += 1
            return orjson.dumps(self.answers["inventor"]).decode()
        if '"distractors"' in text:
            return orjson.dumps(self.answers["checker"]).decode()
        if "Refuse the task when" in text:
            return '{"reason": "nobody speaks like that", "ok": false}'
        if called := re.search(r"The call: (\w+)(\(.*\))", text):
            self.acted[called[1] + called[2]] += 1
            return orjson.dumps(self.answers[called[1]]).decode()
        if asked := re.search(r"The service asks for your (.*?)\. Tell it", text):
            facts = dict(re.findall(r"(?m)^- my (.*?): (.*)$", messages[0]["content"]))
            return orjson.dumps({"say": f"It is {facts[asked[1]]}.", "done": False}).decode()
        return orjson.dumps({"say": "Yes, please.", "done": False}).decode()


def heard(messages: list[dict[str, Any]]) -> dict[str, str]:
    """What users have answered, and what tools have shown."""
    found: dict[str, str] = {}
    for asked, said in pairwise(messages):
        if said["role"] == "tool":
            shown = orjson.loads(said["content"])
            found |= (
                {name: value for name, value in shown.items() if isinstance(value, str)} if "error" not in shown else {}
            )
        wanted = re.search(r"What is the (.*)\?", str(asked.get("content")))
        if wanted and said["role"] == "user":
            label = wanted[1].replace("member name", "name").replace(" number", "_id").replace(" ", "_")
            found[label] = said["content"][6:-1]
    return found


def silent(body: dict[str, Any], known: dict[str, str]) -> str:
    return "All of it is done."


def spoken(text: str) -> list[dict[str, Any]]:
    """The conversation that a guided assistant is shown."""
    roles = {"Customer": "user", "Agent": "assistant", "The system answers": "tool"}
    lines = re.findall(r"(?m)^(Customer|Agent|The system answers): (.*)$", text)
    return [{"role": roles[who], "content": said} for who, said in lines]


def follow(text: str, known: dict[str, str]) -> str:
    """What a guided assistant says: the question, the arguments of the call, or the example that it is shown."""
    if wanted := re.search(r"Ask the customer for their (.*?) now", text):
        return f"What is the {wanted[1]}?"
    if "Write the arguments as JSON" in text:
        arguments: dict[str, Any] = {name: known[name] for name in re.findall(r"(?m)^- (\w+)", text)}
        if "priority" in arguments:
            arguments["priority"] = int(arguments["priority"])
        return orjson.dumps(arguments).decode()
    return str(re.findall(r"(?m), such as: (.*)$", text)[-1])


def call(name: str, arguments: dict[str, Any], number: int) -> dict[str, Any]:
    function = {"name": name, "arguments": orjson.dumps(arguments).decode()}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}],
    }


def perform(folder: Path, troupe: Troupe, **generator: Any) -> RunResult:
    with ChatServer(answer=troupe.answer) as server:
        recipe = {
            "name": "acted",
            "models": {"m": {"provider": "openai", "model": "m", "base_url": server.url}},
            "generate": [{"kind": "tool_use", "count": 1, "guided": True, **generator}],
            "diversity": "off",
            "gates": [],
            "budget": {"attempts": 2},
        }
        (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
        return run(load_recipe(folder / "recipe.yaml"), run_dir=folder / "run")


def rejected(result: RunResult) -> set[tuple[str, str]]:
    rows = [orjson.loads(line) for line in (result.run_dir / "rejected.jsonl").read_bytes().splitlines()]
    return {(row["gate"], row["reason"]) for row in rows}


@pytest.fixture
def club(tmp_path: Path) -> Path:
    folder = tmp_path / "envs" / "club"
    folder.mkdir(parents=True)
    (folder / "tools.yaml").write_text(CLUB, encoding="utf-8")
    (folder / "env.yaml").write_text("name: club\ndescription: A tennis club.\nmode: mock\n", encoding="utf-8")
    return tmp_path


def court(**answers: Any) -> Troupe:
    return Troupe(COURT, {"find_member": {"member_id": "M-4711"}, "book_court": {"booking_id": "B-20"}, **answers})


def test_mock_tools_answer_in_the_conversation_as_when_the_task_was_made(club: Path) -> None:
    troupe = court()
    result = perform(club, troupe, environment="club")
    assert result.ending.status == "complete", rejected(result)
    (row,) = result.rows()
    assert [m["content"] for m in row["messages"] if m["role"] == "tool"] == [
        '{"member_id":"M-4711"}',
        '{"booking_id":"B-20"}',
    ]
    # the planner's own idea of the id gave way to the one that the tool answered
    assert row["actions"] == [
        {"name": "book_court", "arguments": {"member_id": "M-4711", "day": "2026-05-02", "hour": "18:30"}}
    ]
    assert "M-4711" not in " ".join(m["content"] for m in row["messages"] if m["role"] == "user")
    assert row["scores"]["reward"] == 1.0
    assert set(troupe.acted.values()) == {1}  # asked once for each call, when the task was made


def test_an_assistant_that_acts_before_it_asks_is_not_kept(club: Path) -> None:
    troupe = court()

    def hasty(body: dict[str, Any], known: dict[str, str]) -> str | dict[str, Any]:
        done = sum(message["role"] == "tool" for message in body["messages"])
        if done == 0:
            return call("find_member", {"name": "Ines Ortega"}, 0)
        if done == 1:
            return call("book_court", {"member_id": "M-4711", "day": "2026-05-02", "hour": "18:30"}, 1)
        return "All of it is done."

    troupe.say = hasty
    result = perform(club, troupe, environment="club", guided=False)
    assert result.ending.status == "short"
    assert rejected(result) == {("interaction", "acted on what nobody had told it (reward 0.70)")}


def test_a_change_that_nobody_asked_for_is_not_kept(club: Path) -> None:
    troupe = court(cancel_court={"cancelled": True})

    def meddling(body: dict[str, Any], known: dict[str, str]) -> str | dict[str, Any]:
        if known.get("booking_id") and "cancelled" not in str(body["messages"]):
            return call("cancel_court", {"booking_id": "B-20"}, 9)
        return "All of it is done."

    troupe.say = meddling
    result = perform(club, troupe, environment="club", guided=False)
    assert result.ending.status == "short"
    assert {gate for gate, _ in rejected(result)} <= {"state", "max_turns", "assistant"}


def test_a_task_that_the_tools_refuse_is_no_task(club: Path) -> None:
    result = perform(club, court(book_court={"error": "the club is closed on that day"}), environment="club")
    assert rejected(result) == {("blueprint", 'book_court answered {"error":"the club is closed on that day"}')}


def test_an_opening_that_gives_a_fact_away_is_no_task(club: Path) -> None:
    troupe = court()
    troupe.wish = {**COURT, "opening": "Hi, Ines Ortega here, I would like a court."}
    result = perform(club, troupe, environment="club")
    assert rejected(result) == {("task", "its opening gives away 'Ines Ortega'")}


def test_a_reviewer_sends_tasks_back(club: Path) -> None:
    result = perform(club, court(), environment="club", agents={"reviewer": "m"})
    assert rejected(result) == {("review", "nobody speaks like that")}


SERVICE = {
    "name": "Harbour desk",
    "service": "The desk of a small harbour that gives berths to visiting boats.",
    "tools": [
        {
            "name": name,
            "description": f"{text} in the harbour's books.",
            "writes": writes,
            "parameters": [{"name": one, "type": "string", "description": "As in the books.", "required": True}],
            "results": [{"name": result, "type": "string"}],
        }
        for name, text, writes, one, result in (
            ("find_boat", "Finds a boat", False, "boat_name", "boat_id"),
            ("reserve_berth", "Reserves a berth for a boat", True, "boat_id", "berth"),
            ("waive_fee", "Waives the fee of a boat", True, "boat_id", "waived"),
        )
    ],
    "restriction": {"tool": "waive_fee", "rule": "must not be used for boats longer than ten metres"},
    "goals": [f"The assistant takes step {word}." for word in ("one", "two", "three", "four", "five")],
}
DISTRACTOR = {
    "name": "get_tide",
    "description": "Tells the tide of an hour.",
    "writes": False,
    "parameters": [{"name": "hour", "type": "string", "description": "The hour.", "required": True}],
    "results": [{"name": "metres", "type": "number"}],
}
BERTH = {
    "calls": [
        {"tool": "find_boat", "arguments": {"boat_name": "Seeadler"}},
        {"tool": "reserve_berth", "arguments": {"boat_id": "any"}},
    ],
    "goal": "I want a berth for my boat.",
    "opening": "Good morning, is there room for a boat?",
}


def test_a_service_is_thought_up_where_no_environment_is_given(tmp_path: Path) -> None:
    answers = {
        "inventor": SERVICE,
        "checker": {"drop": [], "distractors": [DISTRACTOR]},
        "find_boat": {"boat_id": "HB-77"},
        "reserve_berth": {"berth": "C4"},
    }
    result = perform(tmp_path, Troupe(BERTH, answers))
    assert result.ending.status == "complete", rejected(result)
    (row,) = result.rows()
    assert {tool["function"]["name"] for tool in row["tools"]} == {
        "find_boat",
        "reserve_berth",
        "waive_fee",
        "get_tide",
    }
    assert "waive_fee must not be used for boats longer than ten metres" in row["messages"][0]["content"]
    assert row["actions"] == [{"name": "reserve_berth", "arguments": {"boat_id": "HB-77"}}]
    assert row["ecosystem"]["goals"] == SERVICE["goals"]


def test_a_tool_that_the_policy_restricts_is_not_to_be_used(tmp_path: Path) -> None:
    answers = {
        "inventor": SERVICE,
        "checker": {"drop": [], "distractors": [DISTRACTOR]},
        "find_boat": {"boat_id": "HB-77"},
        "reserve_berth": {"berth": "C4"},
        "waive_fee": {"waived": "yes"},
    }
    troupe = Troupe(BERTH, answers)

    def generous(body: dict[str, Any], known: dict[str, str]) -> str | dict[str, Any]:
        if "berth" in known and "waived" not in known:
            return call("waive_fee", {"boat_id": "HB-77"}, 9)
        made = sum(message["role"] == "tool" for message in body["messages"])
        if made:
            return call("reserve_berth", {"boat_id": "HB-77"}, made) if made == 1 else "All of it is done."
        return (
            call("find_boat", {"boat_name": known["boat_name"]}, 1)
            if "boat_name" in known
            else "What is the boat name?"
        )

    troupe.say = generous
    result = perform(tmp_path, troupe, guided=False)
    assert rejected(result) == {("policy", "used waive_fee, which the policy restricts")}


def test_a_service_that_cannot_be_one_is_sent_back(tmp_path: Path) -> None:
    broken = {**SERVICE, "restriction": {"tool": "sink_boat", "rule": "must not be used in the harbour"}}
    troupe = Troupe(BERTH, {"inventor": broken})
    result = perform(tmp_path, troupe)
    assert rejected(result) == {("ecosystem", "its restriction is about 'sink_boat', which is none of its tools")}
    assert troupe.invented == 4 * 2


def _live(folder: Path, server: dict[str, Any]) -> None:
    declared = {"name": "notes", "description": "A field station.", "mode": "live", "server": server}
    (folder / "notes").mkdir()
    (folder / "notes" / "env.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")


def _check_note(result: RunResult) -> None:
    assert result.ending.status == "complete", rejected(result)
    (row,) = result.rows()
    (said,) = [m["content"] for m in row["messages"] if m["role"] == "tool"]
    assert orjson.loads(said)["priority"] == 3
    assert row["actions"] == [{"name": "add_note", "arguments": NOTE["calls"][0]["arguments"]}]  # type: ignore[index]


def test_a_live_server_over_stdio_with_a_session_for_each_conversation(tmp_path: Path) -> None:
    _live(tmp_path, {"command": [sys.executable, str(NOTES)]})
    result = perform(tmp_path, Troupe(NOTE), environment="notes")
    _check_note(result)
    (row,) = result.rows()
    said = orjson.loads(next(m["content"] for m in row["messages"] if m["role"] == "tool"))
    assert said["number"] == 1  # not 2: the planner's note was another session's


def test_a_live_server_over_http(tmp_path: Path, url: str) -> None:
    _live(tmp_path, {"url": url})
    _check_note(perform(tmp_path, Troupe(NOTE), environment="notes"))


def test_refusals_need_code(club: Path) -> None:
    with pytest.raises(Exception, match="`refusals` needs an environment of mode python"):
        perform(club, court(), environment="club", refusals=0.5)
