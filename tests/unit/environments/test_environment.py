"""One conversation's environment, on a small world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from synth.environments.environment import Environment
from synth.environments.spec import load_environment
from synth.environments.world import World, open_environment
from tests.unit.environments.writing import environment_of

LIBRARY = Path(__file__).parent / "library"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_environment(load_environment(LIBRARY)) as opened:
        yield opened


@pytest.fixture
async def environment(world: World) -> AsyncIterator[Environment]:
    async with world.start(7, faults={}) as started:
        yield started


async def _a_member(environment: Environment) -> str:
    members = (await environment.state())["members"]
    return next(str(key) for key, member in members.items() if member["valid"])


async def test_tools_come_from_signatures_and_docstrings(world: World) -> None:
    tools = {spec.name: spec for spec in world.tools}
    assert list(tools) == ["find_books", "get_member", "lend_book", "return_book"]
    assert tools["find_books"].tool.description == "Find books by a part of their title."
    assert tools["find_books"].tool.parameters == {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "A part of the title; case does not matter."},
            "limit": {"type": "integer", "default": 10, "description": "Most books to return."},
        },
        "required": ["text"],
        "additionalProperties": False,
    }
    condition = tools["return_book"].tool.parameters["properties"]["condition"]
    assert condition["enum"] == ["good", "damaged"]
    assert [spec.writes for spec in world.tools] == [False, False, True, True]


async def test_a_write_changes_the_state_and_says_how(environment: Environment) -> None:
    member = await _a_member(environment)
    before = await environment.state_hash()
    result = await environment.call("lend_book", f'{{"member_id": "{member}", "book_id": "B101"}}')
    assert orjson.loads(result.content) == {"member_id": member, "loans": ["B101"]}
    assert result.wrote
    assert not result.error
    assert [change.path for change in result.changes] == ["/books/B101/copies", f"/members/{member}/loans/0"]
    assert await environment.state_hash() != before


async def test_a_read_leaves_the_hash(environment: Environment) -> None:
    before = await environment.state_hash()
    result = await environment.call("find_books", '{"text": "sea"}')
    assert [book["book_id"] for book in orjson.loads(result.content)] == ["B101"]
    assert not result.wrote
    assert await environment.state_hash() == before


async def test_replay_is_identical(environment: Environment) -> None:
    member = await _a_member(environment)
    await environment.call("lend_book", f'{{"member_id": "{member}", "book_id": "B101"}}')
    await environment.call("lend_book", f'{{"member_id": "{member}", "book_id": "B101"}}')
    await environment.call("nothing", "{}")
    assert await environment.replay() == []


async def test_a_copy_goes_its_own_way(environment: Environment) -> None:
    member = await _a_member(environment)
    await environment.call("lend_book", f'{{"member_id": "{member}", "book_id": "B101"}}')
    here = await environment.state_hash()
    async with environment.copy() as other:
        assert await other.state_hash() == here
        await other.call("return_book", f'{{"member_id": "{member}", "book_id": "B101"}}')
        assert await other.state_hash() != here
    assert await environment.state_hash() == here


async def test_invariants_that_a_wrong_action_breaks(environment: Environment) -> None:
    state = await environment.state()
    invalid = next(key for key, member in state["members"].items() if not member["valid"])
    assert await environment.violations() == []
    await environment.call("lend_book", f'{{"member_id": "{invalid}", "book_id": "B101"}}')
    assert await environment.violations() == ["nobody without a valid card has books"]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("find_book", "{}", "there is no tool 'find_book'; did you mean 'find_books'?"),
        ("find_books", "{}", "'text' is missing"),
        ("find_books", '{"text": 3}', "'text' must be text, not 3"),
        (
            "find_books",
            '{"text": "a", "limt": 2}',
            "unknown argument 'limt' (it takes text, limit); did you mean 'limit'?",
        ),
        (
            "find_books",
            '{"text": ',
            "the arguments are not valid JSON: unexpected end of data: line 1 column 10 (char 9)",
        ),
        ("find_books", "[1]", "the arguments must be a JSON object, not [1]"),
        (
            "find_books",
            '{"text": "' + "x" * 1_000_000 + '"}',
            "the arguments are longer than 256 KiB; send less at a time",
        ),
        (
            "return_book",
            '{"member_id": "M1", "book_id": "B1", "condition": "lost"}',
            '\'condition\' must be one of "good", "damaged", not "lost"',
        ),
        ("lend_book", '{"member_id": "M1", "book_id": "B1"}', "there is no book B1; find_books tells the ids"),
    ],
)
async def test_what_the_agent_can_mend_is_a_result(
    environment: Environment, name: str, arguments: str, message: str
) -> None:
    before = await environment.state_hash()
    result = await environment.call(name, arguments)
    assert orjson.loads(result.content) == {"error": message}
    assert result.error
    assert not result.wrote
    assert await environment.state_hash() == before


async def test_a_replay_sees_what_each_call_saw(tmp_path: Path) -> None:
    """All calls of a replay are asked at once, so a result must not hold what a later call does to the state."""
    tools = '''
@tool(writes=True)
def add(state, item: str) -> list:
    """Add an item."""
    state.setdefault("items", []).append(item)
    return state["items"]
'''
    async with open_environment(environment_of(tmp_path, tools)) as world, world.start(1) as environment:
        for item in "abc":
            await environment.call("add", f'{{"item": "{item}"}}')
        assert [call.result.content for call in environment.calls] == ['["a"]', '["a","b"]', '["a","b","c"]']
        assert await environment.replay() == []
