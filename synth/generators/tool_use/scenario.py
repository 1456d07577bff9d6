"""Scenarios: tasks for worlds whose state nobody can see, because a model acts the tools out or a server keeps it.

A planner proposes the calls that carry a wish out; they are carried out, and what they were answered fixes what is true
in the conversations about it. An id that an earlier call was to return is replaced by the one that it did return. What
the user knows is made by program: every argument that no tool has shown (SYNTHAGENT's background). So whatever a
required argument needs is there, and a check finds it absent from the user's first line.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from synth.agents.agent import Agent, Answer
from synth.agents.context import UnitContext
from synth.environments.environment import Environment
from synth.environments.vocabulary import RecordedCall, ToolSpec
from synth.environments.world import World
from synth.errors import Rejected
from synth.generators.tool_use.blueprint import Action, Blueprint
from synth.generators.tool_use.review import review
from synth.generators.tool_use.task import Task, check_opening
from synth.generators.tool_use.workflow import Fact, Step, Workflow
from synth.messages import Json, Tool

_TRIES = 5
_MOST_CALLS = 4
_IN_ONES_OWN_WORDS = 4
"""A text of so many words may be put in others."""
_ID = re.compile(r"(^|_)(id|uuid|number|code|reference|key)$", re.IGNORECASE)
_MADE_UP = re.compile(r"\b(123|1234|12345|123456|example|john doe|jane doe|string|placeholder)\b", re.IGNORECASE)

Begin = Callable[[int], AbstractAsyncContextManager[Environment]]
"""Starts a fresh environment for the try of that number."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """``said`` are the calls that carried the task out, with what they were answered."""

    task: Task
    said: tuple[RecordedCall, ...]


@dataclass(frozen=True, slots=True)
class PlannedStep(Step):
    """A call of a planner's: what it says in words of its own only has to be there. ``defaults`` are the tool's."""

    defaults: Mapping[str, Any] = field(default_factory=dict)

    def done_by(self, call: RecordedCall) -> bool:
        """Whether this recorded call is the step, carried out."""
        if call.name != self.tool or call.result.error or (call.result.fault and not call.result.wrote):
            return False
        wanted, given = self._complete(self.arguments), self._complete(orjson.loads(call.arguments))
        if not self.writes:  # what else it was asked with does no harm
            wanted = {name: value for name, value in wanted.items() if name in self.arguments}
        elif wanted.keys() != given.keys():
            return False
        return all(name in given and _agrees(given[name], value) for name, value in wanted.items())

    def _complete(self, arguments: Mapping[str, Any]) -> Json:
        """What arguments mean: null, which models write for what they leave out, is the default."""
        given = {name: value for name, value in arguments.items() if value is not None}
        return {name: value for name, value in {**self.defaults, **given}.items() if value is not None}


async def plan_scenario(
    planner: Agent,
    context: UnitContext,
    world: World,
    begin: Begin,
    *,
    acted: bool,
    forbidden: str | None = None,
    reviewer: Agent | None = None,
) -> Scenario:
    """A wish that was carried out. ``forbidden`` is a tool that it must not take. ``acted`` says that a model acts the
    tools out: a server has records of its own, and no program makes up an id that might be one of them.

    Raises ``Rejected``: ``blueprint`` where no proposal goes through, ``task`` where the first line gives it away,
    ``review`` where the ``reviewer`` finds fault with each.
    """
    gate, complaint, text = "blueprint", "", ""
    for attempt in range(_TRIES):
        answer = await ask_planner(planner, context, world, forbidden, complaint=complaint, attempt=attempt)
        text, calls = answer.text, answer.value["calls"]
        if acted:
            calls = lifelike_ids(calls, random.Random(context.sample_seed(f"ids.{attempt}")))
        gate, complaint = "blueprint", _check_calls(calls, world)
        if complaint:
            continue
        async with begin(attempt) as environment:
            start = await environment.state_hash()
            complaint = await _carry_out(environment, calls)
            if complaint:
                continue
            said, end = environment.calls, await environment.state_hash()
        task = make_task(answer.value, said, world, start, end)
        gate = "task"
        complaint = check_opening(task.opening, task.workflow, [tool.name for tool in world.tools])
        if complaint:
            complaint = f"its opening {complaint}"
            continue
        if reviewer is not None:
            gate = "review"
            complaint = await review(reviewer, context, task, place=world.description, number=attempt)
        if not complaint:
            return Scenario(task, said)
    raise Rejected(gate, complaint, text=text)


async def ask_planner(
    planner: Agent, context: UnitContext, world: World, forbidden: str | None, *, complaint: str = "", attempt: int = 0
) -> Answer:
    """A wish, as the planner proposes it."""
    tools = [tool for tool in world.tools if tool.name != forbidden]
    agent = replace(planner, schema=_schema([tool.tool for tool in tools]))
    variables = {
        "place": world.description,
        "policy": world.policy,
        "tools": [{**tool.tool.to_dict()["function"], "writes": tool.writes} for tool in tools],
        "complaint": complaint,
    }
    return await agent.ask(context, variables, sample=attempt)


def make_task(told: Json, said: Sequence[RecordedCall], world: World, start: str, end: str) -> Task:
    """The task that these calls carry out; ``told`` is the planner's goal and opening line."""
    tools = {tool.name: tool for tool in world.tools}
    workflow = make_workflow(said, tools)
    steps = [step for step in workflow.steps if step.writes] or workflow.steps
    actions = tuple(Action(step.tool, tools[step.tool].tool.description, step.arguments) for step in steps)
    blueprint = Blueprint(actions, start, end)
    return Task(blueprint, workflow, str(told["goal"]).strip(), str(told["opening"]).strip())


def make_workflow(said: Sequence[RecordedCall], tools: Mapping[str, ToolSpec]) -> Workflow:
    """The calls as steps; the user knows, and has to tell, every argument that no earlier answer has shown."""
    facts: dict[str, Fact] = {}
    shown: set[str] = set()
    steps = []
    for call in said:
        arguments: Mapping[str, Any] = orjson.loads(call.arguments)
        needs = []
        for name, value in arguments.items():
            text = as_said(value)
            if text and text not in shown:
                needs.append(_note(facts, _label(name, call.name), text))
        tool = tools[call.name]
        steps.append(PlannedStep(call.name, arguments, tool.writes, tuple(needs), tool.defaults))
        shown |= {as_said(value) for _, value in _scalars(orjson.loads(call.result.content))}
    return Workflow(tuple(steps), facts)


def _label(parameter: str, tool: str) -> str:
    """A parameter as a person calls it: the ``name`` of ``find_member`` is a member name."""
    words = parameter.replace("_", " ").strip()
    if words in ("id", "name", "number"):
        words = f"{tool.rpartition('_')[2].removesuffix('s')} {words}"
    return re.sub(r"\bid\b", "number", words)


def _note(facts: dict[str, Fact], label: str, text: str) -> str:
    """The name of the fact that says this; a new one, under a name that no other has, where there is none."""
    for name, fact in facts.items():
        if fact.text == text:
            return name
    name, number = label, 2
    while name in facts:
        name, number = f"{label} {number}", number + 1
    facts[name] = Fact(name, text, exact=len(text.split()) < _IN_ONES_OWN_WORDS)
    return name


def as_said(value: Any) -> str:
    """A value as a person says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return ", ".join(as_said(item) for item in value)
    return "" if value is None else orjson.dumps(value).decode()


def _agrees(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and isinstance(given, str):
        if len(wanted.split()) >= _IN_ONES_OWN_WORDS:
            return bool(given.strip())
        return given.strip().casefold() == wanted.strip().casefold()
    return bool(given == wanted)


def lifelike_ids(calls: Sequence[Json], rng: random.Random) -> list[Json]:
    """The calls with other digits in ids such as ``BK-123``, which small models write whatever they are told; the same
    id is the same in all of them."""
    drawn: dict[str, str] = {}

    def id_for(name: str, value: Any) -> Any:
        if not (isinstance(value, str) and _ID.search(name) and _MADE_UP.search(value)):
            return value
        if value not in drawn:
            drawn[value] = re.sub(r"\d+", lambda _: str(rng.randrange(10_000, 100_000)), value)
        return drawn[value]

    return [
        {**call, "arguments": {name: id_for(name, value) for name, value in call["arguments"].items()}}
        for call in calls
    ]


def _check_calls(calls: Sequence[Json], world: World) -> str:
    writers = {tool.name for tool in world.tools if tool.writes}
    if writers and not any(call["tool"] in writers for call in calls):
        return f"its calls change nothing; the last one should be one of {', '.join(sorted(writers))}"
    for call in calls:
        for name, value in call["arguments"].items():
            if isinstance(value, str) and (not value.strip() or _MADE_UP.search(value)):
                return f"{name} of {call['tool']} is {value[:60]!r}; give a value as it looks in real life"
    return ""


async def _carry_out(environment: Environment, calls: Sequence[Json]) -> str:
    """Make the calls, each with the ids that the earlier ones were answered; what went wrong, or nothing."""
    shown: dict[str, Any] = {}
    for call in calls:
        arguments = {
            name: shown[name] if name in shown and type(shown[name]) is type(value) and _ID.search(name) else value
            for name, value in call["arguments"].items()
        }
        result = await environment.call(call["tool"], orjson.dumps(arguments).decode())
        if result.error:
            return f"{call['tool']} answered {result.content[:300]}"
        for name, value in _scalars(orjson.loads(result.content)):
            shown.setdefault(name, value)
    return ""


def _scalars(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str | int | float) and not isinstance(inner, bool):
                yield name, inner
            yield from _scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner)


def _schema(tools: Sequence[Tool]) -> Json:
    calls = [
        {
            "type": "object",
            "properties": {"tool": {"const": tool.name}, "arguments": tool.parameters},
            "required": ["tool", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    return {
        "type": "object",
        "properties": {
            "calls": {"type": "array", "items": {"anyOf": calls}, "minItems": 1, "maxItems": _MOST_CALLS},
            "goal": {"type": "string", "minLength": 10, "maxLength": 400},
            "opening": {"type": "string", "minLength": 10, "maxLength": 300},
        },
        "required": ["calls", "goal", "opening"],
        "additionalProperties": False,
    }
