"""Mock tools: answered by a model, and held to what was said."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from synth.environments.memory import Remembered, call_key
from synth.environments.mock import MockRequest
from synth.environments.spec import load_environment
from synth.environments.vocabulary import ToolSpec
from synth.environments.world import World, mock_world, open_environment
from synth.errors import RecipeError
from synth.messages import Json, Tool
from tests.unit.environments.writing import write_environment

ORDER = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}, "status": {"type": "string"}, "total": {"type": "number"}},
    "required": ["order_id", "status"],
}


def _tool(name: str, *, writes: bool = False, output: Json | None = None) -> ToolSpec:
    parameters = {
        "type": "object",
        "properties": {"order_id": {"type": "string"}, "page": {"type": "integer", "default": 1}},
    }
    return ToolSpec(Tool(name, f"{name}.", parameters), writes, output)


def _world() -> World:
    tools = [_tool("get_order", output=ORDER), _tool("list_orders"), _tool("cancel_order", writes=True)]
    return mock_world("shop", "A shop.", tools)


class Script:
    """A responder that gives these answers in order, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[MockRequest] = []

    async def __call__(self, request: MockRequest) -> Any:
        self.asked.append(request)
        await asyncio.sleep(0)
        return self.answers.pop(0)


async def test_a_number_that_is_larger_than_any_other_is_a_number() -> None:
    tool = ToolSpec(Tool("weigh", "Weighs.", {"type": "object", "properties": {"grams": {"type": "number"}}}), False)
    async with mock_world("scales", "Scales.", [tool]).start(1, responder=Script({"ok": True})) as environment:
        assert not (await environment.call("weigh", '{"grams": 1e308}')).error
        assert not (await environment.call("weigh", '{"grams": 1.0e+308}')).error


async def test_the_same_call_has_the_same_answer_under_concurrency() -> None:
    responder = Script({"order_id": "W1", "status": "sent"})
    async with _world().start(1, responder=responder) as environment:
        texts = ['{"order_id": "W1"}', '{ "page": 1, "order_id": "W1" }', '{"page": 1.0, "order_id": "W1"}'] * 5
        results = await asyncio.gather(*(environment.call("get_order", text) for text in texts))
    assert {result.content for result in results} == {'{"order_id":"W1","status":"sent"}'}
    assert len(responder.asked) == 1


async def test_an_answer_outside_the_output_schema_is_asked_for_once_more() -> None:
    responder = Script({"order_id": "W1"}, {"order_id": "W1", "status": "sent"})
    async with _world().start(1, responder=responder) as environment:
        result = await environment.call("get_order", '{"order_id": "W1"}')
    assert not result.error
    assert responder.asked[1].problem == "'status' is missing"
    assert responder.asked[1].refused == {"order_id": "W1"}


async def test_two_unusable_answers_are_a_tool_error() -> None:
    responder = Script("no idea", "none")
    async with _world().start(1, responder=responder) as environment:
        result = await environment.call("get_order", '{"order_id": "W1"}')
        assert orjson.loads(result.content) == {"error": "get_order failed: the service gave no usable answer"}
        assert result.error
        assert await environment.replay() == []


async def test_a_contradiction_is_refused() -> None:
    first = {"order_id": "W1", "status": "sent", "total": 10}
    responder = Script(
        first, {"orders": [{"order_id": "W1", "total": 12}]}, {"orders": [{"order_id": "W1", "total": 10}]}
    )
    async with _world().start(1, responder=responder) as environment:
        await environment.call("get_order", '{"order_id": "W1"}')
        result = await environment.call("list_orders", "{}")
    assert orjson.loads(result.content) == {"orders": [{"order_id": "W1", "total": 10}]}
    assert responder.asked[2].problem == "total of order_id W1 was 10 before, and is 12 now"
    assert [said.tool for said in responder.asked[2].memory] == ["get_order"]


async def test_a_write_lets_what_it_touched_change() -> None:
    sent, cancelled = ({"order_id": "W1", "status": status} for status in ("pending", "cancelled"))
    other = {"order_id": "W2", "status": "sent"}
    responder = Script(sent, other, cancelled, cancelled)
    async with _world().start(1, responder=responder) as environment:
        before = await environment.state_hash()
        await environment.call("get_order", '{"order_id": "W1"}')
        await environment.call("get_order", '{"order_id": "W2"}')
        assert await environment.state_hash() == before
        assert (await environment.call("cancel_order", '{"order_id": "W1"}')).wrote
        assert await environment.state_hash() != before
        again = await environment.call("get_order", '{"order_id": "W1"}')
        assert orjson.loads(again.content) == cancelled
        untouched = await environment.call("get_order", '{"order_id": "W2"}')
        assert orjson.loads(untouched.content) == other
        assert len(responder.asked) == 4
        assert await environment.replay() == []
        assert len(responder.asked) == 4


async def test_what_was_written_before_another_write_is_written_anew() -> None:
    switch = {"type": "object", "properties": {"device_id": {"type": "string"}, "on": {"type": "boolean"}}}
    tools = [ToolSpec(Tool("switch", "Switches.", switch), True)]
    responder = Script({"ok": 1}, {"ok": 2}, {"ok": 3})
    async with mock_world("home", "A home.", tools).start(1, responder=responder) as environment:
        texts = [f'{{"device_id": "lamp-1", "on": {on}}}' for on in ("true", "true", "false", "true")]
        results = [await environment.call("switch", text) for text in texts]
        assert [result.wrote for result in results] == [True, False, True, True]
        assert await environment.replay() == []


async def test_objects_with_several_ids_are_no_contradiction() -> None:
    orders = [{"customer_id": "C1", "order_id": "W1", "total": 5}, {"customer_id": "C1", "order_id": "W2", "total": 7}]
    responder = Script(orders)
    async with _world().start(1, responder=responder) as environment:
        assert not (await environment.call("list_orders", "{}")).error


async def test_a_mock_tool_may_say_that_it_cannot() -> None:
    responder = Script({"error": "there is no order W9"})
    async with _world().start(1, responder=responder) as environment:
        result = await environment.call("get_order", '{"order_id": "W9"}')
    assert (result.error, len(responder.asked)) == (True, 1)


async def test_a_responder_sees_the_last_hundred_calls_only() -> None:
    responder = Script(*({"order_id": f"W{n}", "status": "sent"} for n in range(130)))
    async with _world().start(1, responder=responder) as environment:
        for number in range(130):
            await environment.call("get_order", f'{{"order_id": "W{number}"}}')
        first = await environment.call("get_order", '{"order_id": "W0"}')
    assert [len(request.memory) for request in responder.asked][-30:] == [100] * 30
    assert orjson.loads(first.content)["order_id"] == "W0"


@given(st.dictionaries(st.sampled_from(["order_id", "page", "x"]), st.one_of(st.integers(-5, 5), st.text(max_size=3))))
def test_a_key_does_not_depend_on_order_or_number_format(arguments: dict[str, int | str]) -> None:
    tool = _tool("t")
    again = {key: float(value) if isinstance(value, int) else value for key, value in reversed(arguments.items())}
    assert call_key(tool, arguments) == call_key(tool, again)
    assert call_key(tool, {"page": 1, **arguments}) == call_key(tool, arguments)
    assert Counter([call_key(tool, {**arguments, "y": 1}), call_key(tool, arguments)]).most_common(1)[0][1] == 1


async def test_tools_yaml(tmp_path: Path) -> None:
    folder = write_environment(tmp_path, mode="mock")
    tools = [
        {
            "name": "look",
            "description": "Look.",
            "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
        }
    ]
    (folder / "tools.yaml").write_text(yaml.safe_dump({"tools": tools}), encoding="utf-8")
    async with (
        open_environment(load_environment(folder)) as world,
        world.start(1, responder=Script("sky")) as environment,
    ):
        assert environment.tools()[0].name == "look"
        assert (await environment.call("look", '{"at": "up"}')).content == '"sky"'
        assert (await environment.call("look", '{"to": "up"}')).error


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("tools: []", 1, "'tools' must have at least 1 entry, got an empty list"),
        (
            "tools:\n- {name: a b, description: x}",
            2,
            "'name' must match ^[A-Za-z0-9_-]{1,64}$, got 'a b'",
        ),
        ("tools:\n- {name: a, description: x}\n- {name: a, description: y}", 3, "two tools are named 'a'"),
        (
            "tools:\n- name: a\n  description: x\n  parameters: {type: array}",
            4,
            "the parameters of 'a' must have 'type: object'",
        ),
        (
            "tools:\n- name: a\n  description: x\n  parameters:\n    type: object\n    properties: {b: {title: y}}",
            6,
            "'b' has no type",
        ),
        (
            "tools:\n- name: a\n  description: x\n  output: {type: objekt}",
            4,
            "this is not JSON Schema: 'objekt' is not valid under any of the given schemas",
        ),
        ("tools:\n- {name: a, descripton: x}", 2, "'tools.0.description' is missing"),
    ],
)
def test_a_tools_yaml_with_mistakes(tmp_path: Path, text: str, line: int, message: str) -> None:
    folder = write_environment(tmp_path, mode="mock")
    (folder / "tools.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_environment(folder)
    problem = caught.value.problems[0]
    assert (problem.file, problem.line, problem.message) == (str(folder / "tools.yaml"), line, message)


async def test_a_conversation_takes_place_in_the_world_of_earlier_calls() -> None:
    made = Script({"order_id": "W1", "status": "pending"}, {"done": True})
    world = _world()
    async with world.start(1, responder=made) as task:
        await task.call("get_order", '{"order_id": "W1"}')
        await task.call("cancel_order", '{"order_id": "W1"}')
        tools = {tool.name: tool for tool in world.tools}
        said = [
            Remembered(
                call_key(tools[call.name], orjson.loads(call.arguments)),
                call.name,
                orjson.loads(call.arguments),
                orjson.loads(call.result.content),
                call.result.wrote,
            )
            for call in task.calls
        ]
    later = Script([{"order_id": "W1", "status": "sent"}], [{"order_id": "W1", "status": "pending"}])
    async with world.start(1, responder=later, said=said) as talk:
        assert await talk.state() == {"writes": []}
        listed = await talk.call("list_orders", "{}")
        assert orjson.loads(listed.content) == [{"order_id": "W1", "status": "pending"}]
        assert later.asked[1].problem == 'status of order_id W1 was "pending" before, and is "sent" now'
        assert (await talk.call("get_order", '{"order_id": "W1"}')).content == '{"order_id":"W1","status":"pending"}'
        assert (await talk.call("cancel_order", '{"order_id": "W1"}')).content == '{"done":true}'
        assert len(later.asked) == 2
        assert await talk.replay() == []
