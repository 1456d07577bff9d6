"""Blueprints: calls that change an environment's state, grounded in that state and carried out before anyone talks.

Proposals are drawn by program. What does not go through on a fresh environment is no task, so every task has a
solution, with real ids; what goes through and breaks an invariant is what a policy forbids, and makes a task that an
agent has to refuse.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import orjson

from synth.environments.environment import Environment
from synth.environments.vocabulary import ToolSpec
from synth.environments.world import World
from synth.errors import Rejected
from synth.generators.tool_use.grounding import Grounds, Near, find_grounds

_TRIALS = 30
"""Records that each tool is tried around."""
_DRAWS = 20
"""Calls that are tried for each further action."""


@dataclass(frozen=True, slots=True)
class Action:
    """One call of the solution."""

    tool: str
    description: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The actions that solve a task, and the hash of the state that they lead to.

    ``forbidden`` says which rule the actions would break; the right thing is then to change nothing and to say so.
    ``near`` is what stands in the state around them.
    """

    actions: tuple[Action, ...]
    start_hash: str
    target_hash: str
    forbidden: str = ""
    near: Near | None = None


async def draw_blueprint(
    world: World, environment: Environment, rng: random.Random, *, actions: int, forbidden: bool = False
) -> Blueprint:
    """A task in the state of ``environment``, a fresh one: solvable, or ``forbidden`` by an invariant.

    Raises ``Rejected`` when none is found. Each tool is used once, so there are no more actions than tools that write.
    """
    start = await environment.state_hash()
    grounds = await find_grounds(environment)
    writers = [tool for tool in world.tools if tool.writes]
    actions = 1 if forbidden else min(actions, len(writers))
    order = rng.sample(writers, len(writers))  # so that a tool that seldom goes through has its turn
    async with AsyncExitStack() as trials:
        trial = await trials.enter_async_context(environment.fresh())
        for number in range(_TRIALS * len(order)):
            near = grounds.around(rng)
            first = order[number // _TRIALS]
            if any(call.result.wrote for call in trial.calls):
                trial = await trials.enter_async_context(environment.fresh())
            done = await _draw_actions(trial, first, writers, grounds, near, rng, actions)
            if done is None:
                continue
            broken = await trial.violations()
            if bool(broken) != forbidden:
                continue
            if forbidden:
                return Blueprint(done, start, start, broken[0], near)
            return Blueprint(done, start, await trial.state_hash(), near=near)
    what = "break a rule" if forbidden else "break no rule"
    raise Rejected("blueprint", f"no {actions} calls that go through and {what} were found")


async def _draw_actions(
    trial: Environment,
    first: ToolSpec,
    writers: list[ToolSpec],
    grounds: Grounds,
    near: Near,
    rng: random.Random,
    count: int,
) -> tuple[Action, ...] | None:
    """Calls that go through one after the other, ``first`` first; None when too few are found."""
    done: list[Action] = []
    for _ in range(_DRAWS * (count - 1) + 1):
        tool = rng.choice(writers) if done else first
        if any(action.tool == tool.name for action in done):
            continue
        arguments = grounds.draw(tool.tool.parameters, near, rng)
        if arguments is None:
            continue
        result = await trial.call(tool.name, orjson.dumps(arguments).decode())
        if result.error or not result.wrote:
            continue
        done.append(Action(tool.name, tool.tool.description, arguments))
        if len(done) == count:
            return tuple(done)
    return None
