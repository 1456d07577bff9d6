"""``tool_use``: a simulated user who holds facts back, an assistant with tools that have state, and a verdict by state.

After SYNTHAGENT (arXiv 2601.22511). What is kept: the call sequence gives the same results and end state on a fresh
environment, the end state is the one that the blueprint fixed beforehand (the one it began with, where the policy
forbids the task or the user takes it back), the invariants hold, and the assistant asked for what it acted on. Of
``solutions`` conversations the one with the best reward goes out.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from synth.agents.context import UnitContext
from synth.agents.simulated_user import USER_SCHEMA, SimulatedUser
from synth.agents.tool_loop import Conversation, converse
from synth.environments.environment import Environment
from synth.environments.spec import find_environment, load_environment
from synth.environments.world import World, open_environment
from synth.errors import EnvironmentFault, Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.tool_use.blueprint import draw_blueprint
from synth.generators.tool_use.guiding import WorkflowGuide
from synth.generators.tool_use.solution import Solution, to_draft
from synth.generators.tool_use.task import TASK_SCHEMA, Task, tell_task
from synth.generators.tool_use.verify import says_no, verify
from synth.generators.tool_use.workflow import plan_workflow
from synth.messages import Message
from synth.prompts import shipped_template
from synth.recipe.kinds.tool_use import ToolUseSpec
from synth.recipe.models import SamplingSpec


class ToolUse:
    def __init__(self, setup: Setup, spec: ToolUseSpec) -> None:
        self._spec = spec
        self._environment = load_environment(find_environment(spec.environment, setup.base))
        setup.prompts[f"environment {self._environment.name}"] = self._environment.fingerprint
        self._world: World | None = None
        self._planner = setup.agent(
            "planner", sampling=SamplingSpec(temperature=0.9, max_tokens=300), schema=TASK_SCHEMA
        )
        self._user = setup.agent("user", sampling=SamplingSpec(temperature=0.7, max_tokens=150), schema=USER_SCHEMA)
        self._assistant = setup.agent("assistant", sampling=SamplingSpec(temperature=0.5, max_tokens=400))
        self._assistant_prompt = shipped_template("tool_use/assistant")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """The environment's workers run while this lasts."""
        async with open_environment(self._environment) as self._world:
            yield
        self._world = None

    async def make(self, context: UnitContext) -> Draft:
        assert self._world is not None, "opened() comes first"
        try:
            task = await self._plan(context, self._world)
            world = self._world.offering(self._offered(context, self._world, task))
            solutions = [await self._solve(context, world, task, sample) for sample in range(self._spec.solutions)]
        except EnvironmentFault as fault:
            raise Rejected("environment", fault.message) from fault
        return to_draft(task, solutions, world, self._system(context), preference=self._spec.preference)

    async def _plan(self, context: UnitContext, world: World) -> Task:
        """A task that is known to have a solution, or to be forbidden, in a user's words."""
        share = context.rng.random()
        forbidden = share < self._spec.refusals
        gives_up = not forbidden and share < self._spec.refusals + self._spec.give_ups
        actions = context.rng.choice(range(1, self._spec.actions + 1))
        async with world.start(context.unit.rng_seed, faults={}) as calm:
            blueprint = await draw_blueprint(world, calm, context.rng, actions=actions, forbidden=forbidden)
            workflow = await plan_workflow(world, calm, blueprint)
        names = [tool.name for tool in world.tools]
        place = self._environment.description
        task = await tell_task(self._planner, context, blueprint, workflow, place=place, tool_names=names)
        return replace(task, gives_up_at=context.rng.randint(1, 2)) if gives_up else task

    def _offered(self, context: UnitContext, world: World, task: Task) -> list[str]:
        """The tools of the workflow, and others at random up to the number offered."""
        needed = task.workflow.tools
        others = [tool.name for tool in world.tools if tool.name not in needed]
        room = len(others) if self._spec.offer is None else max(0, min(self._spec.offer - len(needed), len(others)))
        rng = random.Random(context.sample_seed("offer"))
        return [*needed, *rng.sample(others, room)]

    async def _solve(self, context: UnitContext, world: World, task: Task, sample: int) -> Solution:
        """One conversation about the task, and what it is worth."""
        talk = Conversation([Message("user", task.opening)])
        async with world.start(context.unit.rng_seed, faults=self._spec.faults.rates()) as environment:
            user = self._user_of(context, world, environment, task)
            guide = WorkflowGuide(
                task.workflow,
                lambda: environment.calls,
                forbidden=task.blueprint.forbidden,
                withdrawn=lambda: user.gave_up,
            )
            try:
                await converse(
                    context,
                    self._assistant,
                    user,
                    environment,
                    talk,
                    system=self._system(context),
                    max_turns=self._spec.max_turns,
                    sample=sample,
                    guide=guide if self._spec.guided else None,
                )
                criteria = await verify(environment, task, talk)
            except Rejected as rejected:
                return Solution(talk, environment.calls, rejected=rejected)
            return Solution(talk, environment.calls, criteria, caught=user.caught)

    def _user_of(self, context: UnitContext, world: World, environment: Environment, task: Task) -> SimulatedUser:
        async def satisfied(conversation: Sequence[Message]) -> bool:
            if task.blueprint.forbidden:
                return says_no(conversation[-1].content or "")
            return not task.unchanged and await environment.state_hash() == task.target_hash

        return SimulatedUser(
            self._user,
            context,
            goal=task.goal,
            facts={name: fact.text for name, fact in task.workflow.facts.items()},
            tool_names=[tool.name for tool in world.tools],
            satisfied=satisfied,
            gives_up_at=task.gives_up_at,
        )

    def _system(self, context: UnitContext) -> str:
        context.used(self._assistant_prompt)
        policy = self._environment.policy
        return self._assistant_prompt.render({"place": self._environment.description, "policy": policy})
