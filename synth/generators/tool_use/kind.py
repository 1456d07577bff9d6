"""``tool_use``: a simulated user who holds facts back, an assistant with tools that have state, and a verdict by state.

After SYNTHAGENT (arXiv 2601.22511). What is kept: the call sequence gives the same results and end state on a fresh
environment, the end state is the one that the blueprint fixed beforehand, the invariants hold, and the assistant asked
for what it acted on. Of ``solutions`` conversations the one with the best reward goes out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from synth.agents.context import UnitContext
from synth.agents.simulated_user import USER_SCHEMA, SimulatedUser
from synth.agents.tool_loop import Conversation, converse
from synth.environments.environment import Environment
from synth.environments.spec import find_environment, load_environment
from synth.environments.world import World, open_environment
from synth.errors import EnvironmentFault, Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.tool_use.blueprint import Blueprint, draw_blueprint
from synth.generators.tool_use.reward import Criteria, judge
from synth.generators.tool_use.task import TASK_SCHEMA, Task, tell_task
from synth.messages import Message
from synth.prompts import shipped_template
from synth.recipe.kinds.tool_use import ToolUseSpec
from synth.recipe.models import SamplingSpec

LEAST_REWARD = 0.85
"""The target state reached (0.7), and at least half of the facts asked for or looked up before they were used."""


@dataclass(frozen=True, slots=True)
class _Solution:
    conversation: Conversation
    criteria: Criteria
    caught: int


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
            async with self._world.start(context.unit.rng_seed, faults={}) as calm:
                actions = context.rng.choice(range(1, self._spec.actions + 1))
                blueprint = await draw_blueprint(self._world, calm, context.rng, actions=actions)
            names = [tool.name for tool in self._world.tools]
            place = self._environment.description
            task = await tell_task(self._planner, context, blueprint, place=place, tool_names=names)
            return await self._solve(context, self._world, task)
        except EnvironmentFault as fault:
            raise Rejected("environment", fault.message) from fault

    async def _solve(self, context: UnitContext, world: World, task: Task) -> Draft:
        best: _Solution | None = None
        refused: Rejected | None = None
        for sample in range(self._spec.solutions):
            async with world.start(context.unit.rng_seed, faults=self._spec.faults.rates()) as environment:
                try:
                    solution = await self._converse(context, world, environment, task, sample)
                except Rejected as rejected:
                    refused = refused or rejected
                    continue
            if best is None or solution.criteria.reward > best.criteria.reward:
                best = solution
        if best is None:
            assert refused is not None
            raise refused
        return self._draft(world, task, best)

    async def _converse(
        self, context: UnitContext, world: World, environment: Environment, task: Task, sample: int
    ) -> _Solution:
        blueprint = task.blueprint

        async def satisfied() -> bool:
            return await environment.state_hash() == blueprint.target_hash

        names = [tool.name for tool in world.tools]
        user = SimulatedUser(self._user, context, task.goal, blueprint.facts, names, satisfied, sample)
        talk = await converse(
            context,
            self._assistant,
            user,
            environment,
            system=self._system(context, environment),
            opening=task.opening,
            max_turns=self._spec.max_turns,
            sample=sample,
        )
        return _Solution(talk, await self._verify(environment, blueprint, talk), user.caught)

    def _system(self, context: UnitContext, environment: Environment) -> str:
        context.used(self._assistant_prompt)
        return self._assistant_prompt.render({"place": self._environment.description, "policy": environment.policy})

    async def _verify(self, environment: Environment, blueprint: Blueprint, talk: Conversation) -> Criteria:
        text = "\n".join(f"{message.role}: {message.content or message.tool_calls}" for message in talk.messages)
        differences = await environment.replay()
        if differences:
            raise Rejected("replay", differences[0], text=text)
        violations = await environment.violations()
        end = await environment.state_hash()
        criteria = judge(blueprint, talk.messages, environment.calls, end_hash=end, violations=violations)
        if violations:
            raise Rejected("policy", violations[0], text=text)
        if end != blueprint.target_hash:
            what = "nothing was changed" if end == blueprint.start_hash else "something else was changed"
            raise Rejected("state", f"the end state is not the target: {what}", text=text)
        if criteria.reward < LEAST_REWARD:
            raise Rejected("interaction", f"acted on what nobody had told it (reward {criteria.reward:.2f})", text=text)
        return criteria

    def _draft(self, world: World, task: Task, best: _Solution) -> Draft:
        talk, criteria = best.conversation, best.criteria
        system = self._assistant_prompt.render(
            {"place": self._environment.description, "policy": self._environment.policy}
        )
        return Draft(
            messages=(Message("system", system), *talk.messages),
            tools=tuple(spec.tool for spec in world.tools),
            text=f"{task.goal}\n" + "\n".join(talk.said_by_user()),
            scores={
                "reward": round(criteria.reward, 4),
                "policy": criteria.policy,
                "subgoals": criteria.subgoals,
                "interaction": round(criteria.interaction, 4),
            },
            extra={
                "environment": self._environment.name,
                "goal": task.goal,
                "actions": [
                    {"name": action.tool, "arguments": dict(action.arguments)} for action in task.blueprint.actions
                ],
                "target_state": task.blueprint.target_hash,
                "faults": talk.faults,
                "recovered": bool(talk.faults),
                "user_lines_caught": best.caught,
            },
        )
