"""``tool_use``: a simulated user who holds facts back, an assistant with tools that have state, and a verdict by state.

After SYNTHAGENT (arXiv 2601.22511). What is kept: the call sequence gives the same results and end state on a fresh
environment, the end state is the one that the blueprint fixed beforehand (the one it began with, where the policy
forbids the task or the user takes it back), the invariants hold, and the assistant asked for what it acted on. Of
``solutions`` conversations the one with the best reward goes out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.guide import Hint
from synth.agents.simulated_user import USER_SCHEMA, SimulatedUser
from synth.agents.tool_loop import Conversation, converse
from synth.environments.environment import Environment
from synth.environments.spec import EnvironmentSpec
from synth.environments.world import World, open_environment
from synth.errors import EnvironmentFault, Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.tool_use.blueprint import Blueprint, draw_blueprint
from synth.generators.tool_use.cast import offering, user_of
from synth.generators.tool_use.guiding import Coach, WorkflowGuide
from synth.generators.tool_use.rehearsal import rehearse
from synth.generators.tool_use.review import MOST_ROUNDS, REVIEW_SCHEMA, review
from synth.generators.tool_use.reward import Criteria
from synth.generators.tool_use.rubric import Judged, RubricJudge
from synth.generators.tool_use.solution import Solution, to_draft
from synth.generators.tool_use.task import TASK_SCHEMA, Task, tell_task
from synth.generators.tool_use.verify import require_withdrawal, says_no, verify
from synth.generators.tool_use.workflow import Workflow, plan_workflow
from synth.messages import Message
from synth.models.client import Request
from synth.prompts import shipped_template
from synth.recipe.kinds.tool_use import ToolUseSpec
from synth.recipe.models import SamplingSpec


class ToolUse:
    """``environment`` is one of mode ``python``."""

    def __init__(self, setup: Setup, spec: ToolUseSpec, environment: EnvironmentSpec) -> None:
        self._spec = spec
        self._environment = environment
        setup.prompts[f"environment {self._environment.name}"] = self._environment.fingerprint
        self._world: World | None = None
        self._planner = setup.agent(
            "planner", sampling=SamplingSpec(temperature=0.9, max_tokens=300), schema=TASK_SCHEMA
        )
        self._user = setup.agent("user", sampling=SamplingSpec(temperature=0.7, max_tokens=150), schema=USER_SCHEMA)
        self._assistant = setup.agent("assistant", sampling=SamplingSpec(temperature=0.5, max_tokens=400))
        self._assistant_prompt = shipped_template("tool_use/assistant")
        self._coach = Coach(setup)
        self._reviewer: Agent | None = None
        self._judge: RubricJudge | None = None
        self._rehearsed: list[tuple[str, Request, str]] = []
        if "reviewer" in spec.agents:
            sampling = SamplingSpec(temperature=0.3, max_tokens=200)
            self._reviewer = setup.agent("reviewer", sampling=sampling, schema=REVIEW_SCHEMA)
        if "judge" in spec.agents:
            self._judge = RubricJudge(setup, setup.base)

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
            world = offering(context, self._world, task, self._spec.offer)
            solutions = [await self._solve(context, world, task, sample) for sample in range(self._spec.solutions)]
        except EnvironmentFault as fault:
            raise Rejected("environment", fault.message) from fault
        system, preference = self._system(context), self._spec.preference
        return to_draft(task, solutions, world, system, world_seed=context.unit.rng_seed, preference=preference)

    async def outline(self, context: UnitContext) -> None:
        """The calls of one task that goes well, rehearsed once: those of others are about as many and as long."""
        for model, request, key in self._rehearsed:
            await context.call(model, request, key)
        if not self._rehearsed:
            async with self.opened():
                assert self._world is not None
                await self._rehearse(context, self._world)
            self._rehearsed = [(one.model, one.request, one.id.partition("/")[2]) for one in context.records]

    async def _rehearse(self, context: UnitContext, world: World) -> None:
        async with world.start(context.unit.rng_seed, faults={}) as environment:
            blueprint = await draw_blueprint(world, environment, context.rng, actions=1)
            workflow = await plan_workflow(world, environment, blueprint)
            task = await self._tell(context, world, blueprint, workflow, checked=False)
            world = offering(context, world, task, self._spec.offer)
            user = self._user_of(context, world, environment, task)
            system = Message("system", self._system(context))
            tools = tuple(spec.tool for spec in world.tools)

            for sample in range(self._spec.solutions):

                async def ask_assistant(talk: Sequence[Message], turn: int, hint: Hint, sample: int = sample) -> None:
                    if self._spec.guided:
                        place, number = world.description, sample * 1000 + turn
                        await self._coach.rehearse(context, place, tools, talk, hint, number)
                        return
                    request = Request((system, *talk), self._assistant.sampling, tools)
                    await context.call(self._assistant.model, request, f"assistant.{sample}.{turn:03d}")

                async def ask_user(talk: Sequence[Message], turn: int, _: Hint) -> None:
                    await user.agent.ask(context, user.variables(talk, []), sample=turn)

                async with environment.fresh() as trial:
                    talk = await rehearse(task, trial, assistant=ask_assistant, user=ask_user)
                if self._judge is not None:
                    criteria, policy = Criteria(1.0, 1.0, 1.0), environment.policy
                    await self._judge.assess(context, task, talk, criteria, policy=policy, sample=sample)

    async def _plan(self, context: UnitContext, world: World) -> Task:
        """A task that is known to have a solution, or to be forbidden, in a user's words."""
        share = context.rng.random()
        forbidden = share < self._spec.refusals
        gives_up = not forbidden and share < self._spec.refusals + self._spec.give_ups
        actions = context.rng.choice(range(1, self._spec.actions + 1))
        async with world.start(context.unit.rng_seed, faults={}) as calm:
            blueprint = await draw_blueprint(world, calm, context.rng, actions=actions, forbidden=forbidden)
            workflow = await plan_workflow(world, calm, blueprint)
        task = await self._tell(context, world, blueprint, workflow)
        return replace(task, gives_up_at=context.rng.randint(1, 2)) if gives_up else task

    async def _tell(
        self, context: UnitContext, world: World, blueprint: Blueprint, workflow: Workflow, *, checked: bool = True
    ) -> Task:
        """A task in words; where there is a reviewer, in words that it lets pass. Raises ``Rejected``.

        Words that mean nothing are not ``checked``, and reviewed once.
        """
        place = self._environment.description
        names = [tool.name for tool in world.tools]
        complaint = ""
        for number in range(MOST_ROUNDS):
            task = await tell_task(
                self._planner,
                context,
                blueprint,
                workflow,
                place=place,
                tool_names=names,
                complaint=complaint,
                round=number,
                checked=checked,
                anchored=self._spec.guided,
            )
            if self._reviewer is None:
                return task
            complaint = await review(self._reviewer, context, task, place=place, number=number)
            if not complaint or not checked:
                return task
        raise Rejected("review", complaint, text=f"{task.goal}\n{task.opening}")

    async def _solve(self, context: UnitContext, world: World, task: Task, sample: int) -> Solution:
        """One conversation about the task, and what it is worth."""
        talk = Conversation([Message("user", task.opening)])
        async with world.start(context.unit.rng_seed, faults=self._spec.rates()) as environment:
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
                    guided=(guide, self._coach.at(world.description)) if self._spec.guided else None,
                )
                require_withdrawal(task, talk, gave_up=user.gave_up)
                criteria = await verify(environment, task, talk)
                judged = Judged(criteria, {}, "")
                if self._judge is not None:
                    policy = self._environment.policy
                    judged = await self._judge.uphold(context, task, talk, criteria, policy=policy, sample=sample)
            except Rejected as rejected:
                return Solution(talk, environment.calls, rejected=rejected)
            return Solution(talk, environment.calls, judged.criteria, judged.verdict, caught=user.caught)

    def _user_of(self, context: UnitContext, world: World, environment: Environment, task: Task) -> SimulatedUser:
        async def satisfied(conversation: Sequence[Message]) -> bool:
            changed = await environment.state_hash() != task.blueprint.start_hash
            if task.blueprint.forbidden:
                return changed or says_no(conversation[-1].content or "")
            return changed and await environment.state_hash() == task.blueprint.target_hash

        return user_of(self._user, context, world, task, satisfied)

    def _system(self, context: UnitContext) -> str:
        context.used(self._assistant_prompt)
        policy = self._environment.policy
        return self._assistant_prompt.render({"place": self._environment.description, "policy": policy})
