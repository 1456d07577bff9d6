"""Who takes part in a conversation about a task, and with which tools: the same wherever the tools come from."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.simulated_user import SimulatedUser
from synth.environments.world import World
from synth.generators.tool_use.task import Task
from synth.messages import Message


def offering(context: UnitContext, world: World, task: Task, offer: int | None) -> World:
    """The world with the tools of the task's workflow, and others at random, ``offer`` in all; with all of its tools
    where that is None."""
    needed = task.workflow.tools
    others = [tool.name for tool in world.tools if tool.name not in needed]
    room = len(others) if offer is None else max(0, min(offer - len(needed), len(others)))
    return world.offering([*needed, *random.Random(context.sample_seed("offer")).sample(others, room)])


def user_of(
    agent: Agent,
    context: UnitContext,
    world: World,
    task: Task,
    satisfied: Callable[[Sequence[Message]], Awaitable[bool]],
) -> SimulatedUser:
    """The user who wants the task done, knows its facts, and holds them back."""
    return SimulatedUser(
        agent,
        context,
        goal=task.goal,
        facts={name: fact.text for name, fact in task.workflow.facts.items()},
        tool_names=[tool.name for tool in world.tools],
        satisfied=satisfied,
        gives_up_at=task.gives_up_at,
    )
