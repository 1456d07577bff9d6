"""Injected faults: at their rates, by seed, before or on the result."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.environments.faults import draw, spoil
from synth.environments.spec import load_environment
from synth.environments.world import open_environment
from synth.recipe.faults import FaultKind

LIBRARY = Path(__file__).parent / "library"


def test_rates_are_met() -> None:
    rates: dict[FaultKind, float] = {"timeout": 0.05, "partial": 0.2}
    drawn = [draw(rates, seed, number) for seed in range(200) for number in range(20)]
    assert 150 < drawn.count("timeout") < 250
    assert 700 < drawn.count("partial") < 900
    assert drawn.count(None) == len(drawn) - drawn.count("timeout") - drawn.count("partial")


@pytest.mark.parametrize("kind", ["timeout", "rate_limited", "not_found"])
async def test_instead_of_the_call_nothing_is_done(kind: FaultKind) -> None:
    async with open_environment(load_environment(LIBRARY)) as world, world.start(3, faults={kind: 1}) as environment:
        member = next(iter((await environment.state())["members"]))
        before = await environment.state_hash()
        result = await environment.call("lend_book", f'{{"member_id": "{member}", "book_id": "B101"}}')
        assert (result.error, result.wrote, result.fault) == (True, False, kind)
        assert "again" in orjson.loads(result.content)["error"] or "once more" in result.content
        assert await environment.state_hash() == before


async def test_a_spoiled_answer_of_a_call_that_was_done() -> None:
    async with open_environment(load_environment(LIBRARY)) as world, world.start(3, faults={"malformed": 1}) as other:
        member = next(iter((await other.state())["members"]))
        result = await other.call("lend_book", f'{{"member_id": "{member}", "book_id": "B101"}}')
        assert (result.error, result.wrote, result.fault) == (False, True, "malformed")
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(result.content)


async def test_a_replay_meets_the_same_faults() -> None:
    rates: dict[FaultKind, float] = {"timeout": 0.2, "not_found": 0.2, "malformed": 0.2, "partial": 0.2}
    async with open_environment(load_environment(LIBRARY)) as world, world.start(11, faults=rates) as environment:
        for text in "abcdefghijklmnopqrst":
            await environment.call("find_books", f'{{"text": "{text}"}}')
        assert len({call.result.fault for call in environment.calls}) > 3
        assert await environment.replay() == []


async def test_a_call_that_could_not_be_made_meets_no_fault() -> None:
    async with open_environment(load_environment(LIBRARY)) as world, world.start(3, faults={"timeout": 1}) as other:
        assert (await other.call("find_books", "{}")).fault is None


Values = st.recursive(
    st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(Values)
def test_a_partial_result_is_json_that_says_so(value: object) -> None:
    content = orjson.dumps(value).decode()
    spoiled = spoil("partial", content)
    if spoiled is not None:
        assert orjson.loads(spoiled).keys() == {"warning", "partial"}
        assert len(orjson.dumps(orjson.loads(spoiled)["partial"])) < len(content.encode())
