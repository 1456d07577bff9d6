"""What a conversation with acted tools would ask, for ``synth plan``: no model, no server, meaningless answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.guide import Hint
from synth.agents.simulated_user import SimulatedUser
from synth.environments.environment import Environment
from synth.environments.mock import MockRequest
from synth.environments.vocabulary import ToolSpec
from synth.environments.world import World, mock_world
from synth.generators.tool_use.acting import Actor
from synth.generators.tool_use.ecosystem import to_tool
from synth.generators.tool_use.guiding import Coach
from synth.generators.tool_use.rehearsal import rehearse
from synth.generators.tool_use.scenario import make_task
from synth.generators.tool_use.task import Task
from synth.messages import Json, Message
from synth.models.client import Request
from synth.models.scripted import smallest_instance

_EXAMPLE: list[Json] = [
    {
        "name": name,
        "description": description,
        "writes": writes,
        "parameters": [
            {"name": parameter, "type": "string", "description": "As it stands in the books.", "required": True}
            for parameter in parameters
        ],
        "results": [{"name": result, "type": "string"} for result in results],
    }
    for name, description, writes, parameters, results in (
        ("find_boat", "Finds a boat in the harbour's books.", False, ("boat_name", "owner"), ("boat_id", "length")),
        ("reserve_berth", "Reserves a berth for a boat.", True, ("boat_id", "arrival_date"), ("berth", "price")),
        ("waive_fee", "Waives the harbour fee of a boat.", True, ("boat_id", "reason"), ("fee_id",)),
        ("get_tide", "Tells the height of the tide at an hour.", False, ("date", "hour"), ("metres",)),
    )
]


def example_world() -> World:
    """In place of a service that is yet to be thought up: as many tools, as long."""
    tools = [to_tool(tool) for tool in _EXAMPLE]
    policy = "- The tool waive_fee must not be used for boats that stay longer than a week."
    return mock_world(
        "example", "The desk of a small harbour that gives berths to visiting boats.", tools, policy=policy
    )


async def rehearse_calls(world: World, environment: Environment) -> Task:
    """A task of a lookup, where there is one, and a change, carried out in ``environment``."""
    readers = [tool for tool in world.tools if not tool.writes][:1]
    writers = [tool for tool in world.tools if tool.writes][:1]
    start = await environment.state_hash()
    for tool in [*readers, *writers]:
        arguments = {
            name: smallest_instance(schema, f"‹{name}›") for name, schema in tool.tool.parameters["properties"].items()
        }
        await environment.call(tool.name, orjson.dumps(arguments).decode())
    told = {"goal": "‹what planner says›", "opening": "‹what planner says›"}
    return make_task(told, environment.calls, world, start, await environment.state_hash())


async def rehearse_conversation(
    context: UnitContext,
    task: Task,
    environment: Environment,
    *,
    assistant: Agent,
    user: SimulatedUser,
    system: str,
    sample: int,
    coach: Coach | None = None,
    place: str = "",
) -> Sequence[Message]:
    """Ask both sides for each of their turns; with a ``coach``, the assistant as one who is told each step."""
    tools = environment.tools()

    async def ask_assistant(talk: Sequence[Message], turn: int, hint: Hint) -> None:
        if coach is not None:
            await coach.rehearse(context, place, tools, talk, hint, sample * 1000 + turn)
            return
        request = Request((Message("system", system), *talk), assistant.sampling, tools)
        await context.call(assistant.model, request, f"assistant.{sample}.{turn:03d}")

    async def ask_user(talk: Sequence[Message], turn: int, _: Hint) -> None:
        await user.agent.ask(context, user.variables(talk, []), sample=turn)

    return await rehearse(task, environment, assistant=ask_assistant, user=ask_user)


class Understudy:
    """A responder that asks the agent where the answer is new, and answers something of its own that fits."""

    def __init__(self, actor: Actor | None) -> None:
        self._actor = actor

    async def __call__(self, request: MockRequest) -> Any:
        if self._actor is not None:
            await self._actor(request)
        return stand_in(request.tool)


def stand_in(tool: ToolSpec) -> Any:
    """The smallest answer of a tool."""
    return smallest_instance(tool.output or {"type": "object"}, f"‹what {tool.name} answers›")
