"""``tool_use`` where no state can be seen: a model acts the tools out (mode ``mock``, or a service that a planner has
thought up), or a server has them (mode ``live``).

The planner's calls are carried out first. For mock tools their answers are the memory that every conversation about
the task shares; a live server gets a session of its own for them. A conversation is kept when it made these calls and
changed nothing else, asked for what it acted on, and a judge, where there is one, has little against it. The memory
stands in the place of a state: replayed from it, the recorded calls give the same answers. What a live server did is
recorded and not repeated, for it may have happened in the world.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.simulated_user import USER_SCHEMA, SimulatedUser
from synth.agents.tool_loop import Conversation, converse, shown
from synth.environments.environment import Environment
from synth.environments.memory import Remembered
from synth.environments.spec import EnvironmentSpec
from synth.environments.world import World, open_environment
from synth.errors import EnvironmentFault, Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.tool_use.acted_outline import (
    Understudy,
    example_world,
    rehearse_calls,
    rehearse_conversation,
)
from synth.generators.tool_use.acting import Actor, remembered
from synth.generators.tool_use.cast import offering, user_of
from synth.generators.tool_use.ecosystem import CHECK_SCHEMA, ECOSYSTEM_SCHEMA, Ecosystem, about, invent
from synth.generators.tool_use.guiding import Coach, WorkflowGuide
from synth.generators.tool_use.review import REVIEW_SCHEMA, review
from synth.generators.tool_use.reward import Criteria, told_before_use
from synth.generators.tool_use.rubric import Judged, RubricJudge
from synth.generators.tool_use.scenario import ask_planner, plan_scenario
from synth.generators.tool_use.solution import Solution, to_draft
from synth.generators.tool_use.task import Task
from synth.generators.tool_use.verify import LEAST_REWARD, require_true_ending, require_withdrawal
from synth.messages import Message
from synth.prompts import shipped_template
from synth.recipe.kinds.tool_use import ToolUseSpec
from synth.recipe.models import SamplingSpec

_PLANNING = 1000
"""From here on, environments of a unit are numbered that tasks are carried out in."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit's conversations take place. ``forbidden`` is a tool that its policy restricts."""

    world: World
    forbidden: str | None = None
    ecosystem: Ecosystem | None = None


class ActedToolUse:
    """``environment`` is one of mode ``mock`` or ``live``; without it each unit gets a service of its own."""

    def __init__(self, setup: Setup, spec: ToolUseSpec, environment: EnvironmentSpec | None) -> None:
        self._spec = spec
        self._environment = environment
        self._world: World | None = None
        self._is_live = environment is not None and environment.mode == "live"
        if environment is not None:
            setup.prompts[f"environment {environment.name}"] = environment.fingerprint
        else:
            warm = SamplingSpec(temperature=0.9, max_tokens=1500)
            self._inventor = setup.agent(
                "inventor", sampling=warm, schema=ECOSYSTEM_SCHEMA, template="tool_use/ecosystem"
            )
            self._checker = setup.agent("checker", sampling=warm, schema=CHECK_SCHEMA, template="tool_use/tool_check")
        if not self._is_live:
            self._tool = setup.agent("tool", sampling=SamplingSpec(temperature=0.7, max_tokens=400))
        planning = SamplingSpec(temperature=0.9, max_tokens=600)
        self._planner = setup.agent("planner", sampling=planning, template="tool_use/scenario")
        self._user = setup.agent("user", sampling=SamplingSpec(temperature=0.7, max_tokens=150), schema=USER_SCHEMA)
        self._assistant = setup.agent("assistant", sampling=SamplingSpec(temperature=0.5, max_tokens=400))
        self._assistant_prompt = shipped_template("tool_use/assistant")
        self._reviewer: Agent | None = None
        if "reviewer" in spec.agents:
            careful = SamplingSpec(temperature=0.3, max_tokens=200)
            self._reviewer = setup.agent("reviewer", sampling=careful, schema=REVIEW_SCHEMA)
        self._coach = Coach(setup)
        self._judge = RubricJudge(setup, setup.base) if "judge" in spec.agents else None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """What a live server offers is known while this lasts."""
        if self._environment is None:
            yield
            return
        async with open_environment(self._environment) as self._world:
            yield
        self._world = None

    async def make(self, context: UnitContext) -> Draft:
        try:
            place = await self._find_place(context)
            scenario = await plan_scenario(
                self._planner,
                context,
                place.world,
                lambda attempt: self._begin(context, place.world, _PLANNING + attempt, calm=True),
                acted=not self._is_live,
                forbidden=place.forbidden,
                reviewer=self._reviewer,
            )
            task = scenario.task
            if context.rng.random() < self._spec.give_ups:
                task = replace(task, gives_up_at=context.rng.randint(1, 2))
            said = remembered(place.world, scenario.said)
            place = replace(place, world=offering(context, place.world, task, self._spec.offer))
            numbers = range(self._spec.solutions)
            solutions = [await self._solve(context, place, task, said, number) for number in numbers]
        except EnvironmentFault as fault:
            raise Rejected("environment", fault.message) from fault
        system = self._system(context, place.world)
        seed, preference = context.unit.rng_seed, self._spec.preference
        draft = to_draft(task, solutions, place.world, system, world_seed=seed, preference=preference)
        if place.ecosystem is None:
            return draft
        return replace(draft, extra=dict(draft.extra) | {"ecosystem": place.ecosystem.to_dict()})

    async def outline(self, context: UnitContext) -> None:
        """The calls of a task that goes well: two for the service, where it is thought up, and those of a lookup and a
        change. A live server is not asked what it offers, so nothing can be said of it."""
        async with AsyncExitStack() as stack:
            if self._environment is None:
                world = example_world()
                tools = [tool.tool for tool in world.tools]
                with suppress(Rejected):  # an answer that means nothing is no service
                    await self._inventor.ask(context, {**about(context), "complaint": ""})
                with suppress(Rejected):
                    await self._checker.ask(context, {"service": world.description, "tools": tools})
            elif self._is_live:
                return
            else:
                world = await stack.enter_async_context(open_environment(self._environment))
            await ask_planner(self._planner, context, world, None)
            actor = Understudy(Actor(self._tool, context, place=world.description, number=0))
            environment = await stack.enter_async_context(world.start(0, faults={}, responder=actor))
            task = await rehearse_calls(world, environment)
            if self._reviewer is not None:
                await review(self._reviewer, context, task, place=world.description, number=0)
            for number in range(self._spec.solutions):
                trial = await stack.enter_async_context(environment.fresh())
                talk = await rehearse_conversation(
                    context,
                    task,
                    trial,
                    assistant=self._assistant,
                    user=self._user_of(context, world, trial, task),
                    system=self._system(context, world),
                    coach=self._coach if self._spec.guided else None,
                    place=world.description,
                    sample=number,
                )
                if self._judge is not None:
                    criteria = Criteria(1.0, 1.0, 1.0)
                    await self._judge.assess(context, task, talk, criteria, policy=world.policy, sample=number)

    async def _find_place(self, context: UnitContext) -> Place:
        if self._environment is None:
            made = await invent(self._inventor, self._checker, context, self._spec.faults.rates())
            return Place(made.world, made.forbidden, made)
        assert self._world is not None, "opened() comes first"
        return Place(self._world)

    def _begin(
        self, context: UnitContext, world: World, number: int, said: Sequence[Remembered] = (), *, calm: bool
    ) -> AbstractAsyncContextManager[Environment]:
        """A fresh environment; ``number`` tells those of a unit apart."""
        responder = None
        if not self._is_live:
            responder = Actor(self._tool, context, place=world.description, number=number)
        faults = {} if calm else self._spec.rates()
        return world.start(context.unit.rng_seed, faults=faults, responder=responder, said=said)

    async def _solve(
        self, context: UnitContext, place: Place, task: Task, said: Sequence[Remembered], number: int
    ) -> Solution:
        """One conversation about the task, and what it is worth."""
        talk = Conversation([Message("user", task.opening)])
        async with self._begin(context, place.world, number, said, calm=False) as environment:
            user = self._user_of(context, place.world, environment, task)
            guide = WorkflowGuide(task.workflow, lambda: environment.calls, withdrawn=lambda: user.gave_up)
            try:
                await converse(
                    context,
                    self._assistant,
                    user,
                    environment,
                    talk,
                    system=self._system(context, place.world),
                    max_turns=self._spec.max_turns,
                    sample=number,
                    guided=(guide, self._coach.at(place.world.description)) if self._spec.guided else None,
                )
                if not self._is_live and (differences := await environment.replay()):
                    raise Rejected("replay", differences[0], text=shown(talk.messages))
                require_withdrawal(task, talk, gave_up=user.gave_up)
                criteria = verify_calls(environment, task, talk, forbidden=place.forbidden)
                judged = Judged(criteria, {}, "")
                if self._judge is not None:
                    policy = place.world.policy
                    judged = await self._judge.uphold(context, task, talk, criteria, policy=policy, sample=number)
            except Rejected as rejected:
                return Solution(talk, environment.calls, rejected=rejected)
            return Solution(talk, environment.calls, judged.criteria, judged.verdict, caught=user.caught)

    def _user_of(self, context: UnitContext, world: World, environment: Environment, task: Task) -> SimulatedUser:
        async def satisfied(_: Sequence[Message]) -> bool:
            return not task.unchanged and _done(task, environment) == 1.0

        return user_of(self._user, context, world, task, satisfied)

    def _system(self, context: UnitContext, world: World) -> str:
        context.used(self._assistant_prompt)
        return self._assistant_prompt.render({"place": world.description, "policy": world.policy})


def verify_calls(environment: Environment, task: Task, talk: Conversation, *, forbidden: str | None) -> Criteria:
    """The criteria of a conversation that stands, by what was called.

    Raises ``Rejected``: ``policy`` where the ``forbidden`` tool was used, ``state`` where something was not changed
    that should have been or the other way round, ``ending`` where the assistant's last words are not true,
    ``interaction`` where it acted on what nobody had told it.
    """
    text = shown(talk.messages)
    calls = [call for call in environment.calls if not call.result.error]
    if forbidden is not None and any(call.name == forbidden for call in calls):
        raise Rejected("policy", f"used {forbidden}, which the policy restricts", text=text)
    wanted = [] if task.unchanged else [step for step in task.workflow.steps if step.writes]
    for step in wanted:
        if not any(step.done_by(call) for call in calls):
            raise Rejected("state", f"{step.tool} was not carried out as it was wanted", text=text)
    open_steps = list(wanted)
    for call in (call for call in calls if call.result.wrote):
        done = next((step for step in open_steps if step.done_by(call)), None)
        if done is None:
            raise Rejected("state", f"{call.name} changed what nobody had asked for", text=text)
        open_steps.remove(done)
    require_true_ending(task, talk)
    exact = [fact.text for fact in task.workflow.facts.values() if fact.exact]
    told = [found for fact in exact if (found := told_before_use(fact, talk.messages)) is not None]
    interaction = sum(told) / len(told) if told else 1.0
    criteria = Criteria(1.0, 1.0 if task.unchanged else _done(task, environment), interaction)
    if criteria.reward < LEAST_REWARD:
        raise Rejected("interaction", f"acted on what nobody had told it (reward {criteria.reward:.2f})", text=text)
    return criteria


def _done(task: Task, environment: Environment) -> float:
    """The share of the task's calls that were made, from 0 to 1."""
    steps, calls = task.workflow.steps, environment.calls
    return sum(any(step.done_by(call) for call in calls) for step in steps) / len(steps)
