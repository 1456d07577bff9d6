"""Blueprints and workflows in the shipped worlds: what they promise holds for whatever is drawn."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from synth.environments.spec import find_environment, load_environment
from synth.environments.world import World, open_environment
from synth.generators.tool_use.blueprint import draw_blueprint
from synth.generators.tool_use.describing import describe
from synth.generators.tool_use.grounding import Grounds
from synth.generators.tool_use.guiding import WorkflowGuide
from synth.generators.tool_use.reward import told_before_use
from synth.generators.tool_use.workflow import Fact, plan_workflow
from synth.messages import Message, ToolCall
from tests.unit.environments.writing import environment_of


@pytest.fixture(params=["retail", "calendar", "filesystem_sql"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with open_environment(load_environment(find_environment(request.param, Path()))) as opened:
        yield opened


async def test_a_workflow_leads_to_the_target_and_knows_nothing_that_nobody_says(world: World) -> None:
    for seed in range(4):
        async with world.start(seed) as environment:
            blueprint = await draw_blueprint(world, environment, random.Random(seed), actions=1)
            workflow = await plan_workflow(world, environment, blueprint)
            assert [step.tool for step in workflow.steps if step.writes] == [one.tool for one in blueprint.actions]
            told = " ".join(fact.text for fact in workflow.facts.values())
            async with environment.fresh() as other:
                for step in workflow.steps:
                    assert set(step.needs) <= set(workflow.facts)
                    result = await other.call(step.tool, orjson.dumps(dict(step.arguments)).decode())
                    assert not result.error
                    assert step.done_by(other.calls[-1])
                    told += result.content if not step.writes else ""
                assert await other.state_hash() == blueprint.target_hash
        ids = [v for step in workflow.steps for k, v in step.arguments.items() if k.endswith("_id")]
        assert all(value in told for value in ids)


async def test_a_forbidden_task_breaks_a_rule_and_aims_at_changing_nothing() -> None:
    async with open_environment(load_environment(find_environment("retail", Path()))) as world:
        for seed in range(4):
            async with world.start(seed) as environment:
                found = await draw_blueprint(world, environment, random.Random(seed), actions=2, forbidden=True)
                assert found.forbidden
                assert found.target_hash == found.start_hash == await environment.state_hash()
                (action,) = found.actions
                await environment.call(action.tool, orjson.dumps(dict(action.arguments)).decode())
                assert found.forbidden in await environment.violations()


async def test_a_customer_is_found_by_what_people_know_and_confirms_before_anything_changes() -> None:
    async with open_environment(load_environment(find_environment("retail", Path()))) as world, world.start(1) as shop:
        blueprint = await draw_blueprint(world.offering(["cancel_order"]), shop, random.Random(1), actions=1)
        workflow = await plan_workflow(world, shop, blueprint)
        assert [step.tool for step in workflow.steps] == ["find_customer", "get_order", "cancel_order"]
        assert list(workflow.facts) == ["email", "order number", "reason"]
        guide = WorkflowGuide(workflow, lambda: shop.calls)
        talk = [Message("user", "I want to cancel something.")]
        seen = []
        for _ in range(20):
            hint = guide.next(talk)
            seen.append(hint.tool or "words")
            if hint.tool:
                step = next(step for step in workflow.steps if step.tool == hint.tool)
                await shop.call(step.tool, orjson.dumps(dict(step.arguments)).decode())
                talk.append(Message("tool", "{}"))
            elif "All is done" in hint.text:
                break
            else:
                named = [fact.text for name, fact in workflow.facts.items() if name == guide.fact]
                talk += [Message("assistant", "?"), Message("user", named[0] if named else "Yes, please.")]
        assert seen == ["words", "find_customer", "words", "get_order", "words", "words", "cancel_order", "words"]
        assert await shop.state_hash() == blueprint.target_hash


@pytest.mark.parametrize(
    ("text", "told"), [("my Mastercard ending in 0891", True), ("my card", False), ("the card mastercard 0891", True)]
)
def test_what_is_described_may_be_said_in_part(text: str, told: bool) -> None:
    assert Fact("payment method", "card mastercard 0891", exact=False).told_in(text) is told


@pytest.mark.parametrize(
    ("value", "text", "told"),
    [
        ("S", "It is size S, please.", True),
        ("S", "I want this.", False),
        ("on", "I want one on Monday.", True),
        ("on", "I want one, soon.", False),
        ("no", "I do not know.", False),
        ("31", "It is T31.", False),
        ("-5", "It is -5 degrees", True),
        ("C++", "in C++, please", True),
        ("STRASSE 5", "Straße 5", True),
        ("张伟", "我叫张伟。", True),
        ("東京", "東京へ行きます", True),
        ("W12", r'{"note":"first\nW12"}', True),
    ],
)
def test_a_value_is_told_as_a_word_of_its_own(value: str, text: str, told: bool) -> None:
    assert Fact("size", value).told_in(text) is told
    use = Message("assistant", None, (ToolCall("c", "t", orjson.dumps({"x": value}).decode()),))
    assert told_before_use(value, [Message("user", text), use]) is told


HOMES = '''
from typing_extensions import TypedDict


class Address(TypedDict):
    street: str
    city: str
    zip: str


def make_state(rng):
    homes = [("Ana Ruiz", "Oak Road 5", "Porto"), ("Bo Lind", "Elm Way 8", "Lund")]
    return {
        "people": [
            {"person_id": f"P{n}", "name": name, "address": {"street": street, "city": city, "zip": f"{n}-11"}}
            for n, (name, street, city) in enumerate(homes, 40)
        ]
    }


@tool
def find_person(state, name: str) -> dict:
    """Find a person."""
    return next(person for person in state["people"] if person["name"] == name)


@tool(writes=True)
def move(state, person_id: str, address: Address) -> dict:
    """Change the address of a person."""
    next(person for person in state["people"] if person["person_id"] == person_id)["address"] = address
    return {}
'''


async def test_a_table_may_be_a_list_and_an_argument_an_object(tmp_path: Path) -> None:
    spec = environment_of(tmp_path, HOMES, state="make_state")
    async with open_environment(spec) as world, world.start(1) as environment:
        blueprint = await draw_blueprint(world, environment, random.Random(1), actions=3)  # there is one that writes
        workflow = await plan_workflow(world, environment, blueprint)
    (action,) = blueprint.actions
    assert [step.tool for step in workflow.steps] == ["find_person", "move"]
    fact = workflow.facts["new address"]
    assert (fact.text, fact.exact) == (", ".join(action.arguments["address"].values()), False)


@pytest.mark.parametrize(
    ("table", "parameter"),
    [("orders", "order_id"), ("cities", "city_id"), ("movies", "movie_id"), ("boxes", "box_id"), ("people", "person")],
)
def test_a_parameter_means_a_table_of_its_name(table: str, parameter: str) -> None:
    rng, grounds = random.Random(1), Grounds({table: {"K1": {}}})
    wanted = {"properties": {parameter: {"type": "string"}}, "required": [parameter]}
    assert grounds.draw(wanted, grounds.around(rng), rng) == {parameter: "K1"}


def test_things_are_named_by_name_and_options_where_that_tells_them_apart() -> None:
    lamp = {"item_id": "1", "product_id": "P", "name": "Lamp", "options": {"colour": "red"}}
    other = {"item_id": "2", "product_id": "P", "name": "Lamp", "options": {"colour": "blue"}}
    assert describe({"items": [lamp, other]}, "1") == "Lamp (red)"
    assert describe({"items": [lamp, lamp | {"item_id": "3"}]}, "1") == ""
    assert (
        describe({"payment_methods": {"card_1": {"kind": "card", "last4": "0891"}}}, "card_1") == "card ending in 0891"
    )
