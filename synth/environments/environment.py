"""A single-use environment: one conversation's tools, state and record.

    spec = load_environment(find_environment("retail", base=recipe_folder))
    async with open_environment(spec) as world:                  # once for all conversations; see world.py
        async with world.start(seed=7) as environment:           # one conversation
            result = await environment.call("get_order", '{"order_id": "W2378156"}')
            result.content                                       # JSON text for the agent
            await environment.state_hash()
            await environment.violations()                       # invariants that do not hold
            differences = await environment.replay()             # the recorded calls on a fresh environment

Two kinds of failure are never blurred. What the agent can mend is a result with ``error`` set: an unknown tool, wrong
arguments, a ``ToolError`` of the tool, an injected fault. A failure of the environment itself (an exception in a tool,
its time or memory spent, a result that is not JSON, a read that changed the state, an MCP server that died) raises
``EnvironmentFault``, which rejects this attempt and no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import orjson

from synth.environments.arguments import ArgumentSchema, suggest
from synth.environments.authoring import ToolError
from synth.environments.faults import answer_instead, draw, spoil
from synth.environments.vocabulary import Outcome, RecordedCall, Session, ToolResult, ToolSpec
from synth.errors import EnvironmentFault
from synth.messages import Json, Tool
from synth.recipe.faults import FaultKind, FaultRates

Offered = Mapping[str, tuple[ToolSpec, ArgumentSchema]]


class Environment:
    """Made by ``World.start``. Calls are carried out one after the other, in the order in which they are made."""

    def __init__(self, offered: Offered, session: Session, *, seed: int, faults: FaultRates, policy: str) -> None:
        self.seed = seed
        self.faults = faults
        self.policy = policy
        self._offered = offered
        self._session = session
        self._turn = asyncio.Lock()
        self._calls: list[RecordedCall] = []
        self._broken: EnvironmentFault | None = None

    @property
    def calls(self) -> tuple[RecordedCall, ...]:
        """Every call so far, with its result."""
        return tuple(self._calls)

    def tools(self) -> tuple[Tool, ...]:
        """What the agent is offered."""
        return tuple(spec.tool for spec, _ in self._offered.values())

    def writes(self, name: str) -> bool:
        """Whether there is a tool of that name that may change the state."""
        return name in self._offered and self._offered[name][0].writes

    async def call(self, name: str, arguments: str) -> ToolResult:
        """Carry out a tool call as a model wrote it; ``arguments`` is JSON text. Raises ``EnvironmentFault``."""
        async with self._turn:
            if self._broken is not None:
                raise self._broken
            try:
                result = await self._answer(name, arguments)
            except EnvironmentFault as fault:
                self._broken = fault
                raise
            self._calls.append(RecordedCall(name, arguments, result))
            return result

    async def state(self) -> Json:
        """The state: plain JSON data, a copy. Mode mock and live: the write calls so far and their answers."""
        return await self._session.state()

    async def state_hash(self) -> str:
        """32 hex digits; equal states have equal hashes."""
        return await self._session.state_hash()

    async def violations(self) -> list[str]:
        """The invariants that do not hold now, each in words; empty when all do."""
        return await self._session.violations()

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[Environment]:
        """A new environment as this one was at its start, that answers the same calls in the same way."""
        async with self._session.fresh() as session:
            yield Environment(self._offered, session, seed=self.seed, faults=self.faults, policy=self.policy)

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[Environment]:
        """A new environment as this one is now, its record included."""
        async with self.fresh() as other:
            for done in self.calls:
                await other.call(done.name, done.arguments)
            yield other

    async def replay(self) -> list[str]:
        """Make the recorded calls again on a fresh environment: what differs, in words; empty means identical."""
        checked = [self._check(done.name, done.arguments, number) for number, done in enumerate(self._calls)]
        passed = [one for one in checked if isinstance(one, _Passed)]
        outcomes, end = await self._session.rerun([(one.tool, one.arguments) for one in passed])
        again = iter(outcomes)
        differences = []
        for number, (done, one) in enumerate(zip(self._calls, checked, strict=True), 1):
            result = one.finish(next(again)) if isinstance(one, _Passed) else one
            if result != done.result:
                differences.append(f"call {number} ({done.name}) gave another result")
        if end != await self.state_hash():
            differences.append("the end state is another one")
        return differences

    async def _answer(self, name: str, arguments: str) -> ToolResult:
        checked = self._check(name, arguments, len(self._calls))
        if isinstance(checked, ToolResult):
            return checked
        return checked.finish(await self._session.call(checked.tool, checked.arguments))

    def _check(self, name: str, arguments: str, number: int) -> ToolResult | _Passed:
        """What call ``number`` comes to where it never reaches the session."""
        if name not in self._offered:
            return _refusal(f"there is no tool {name[:80]!r}{suggest(name, self._offered)}")
        tool, schema = self._offered[name]
        try:
            values = schema.parse(arguments)
        except ToolError as error:
            return _refusal(str(error))
        fault = draw(self.faults, self.seed, number)
        if fault is not None and (said := answer_instead(fault)) is not None:
            return ToolResult(said, error=True, fault=fault)
        return _Passed(tool, values, fault)


@dataclass(frozen=True, slots=True)
class _Passed:
    """A call that the session carries out, and the fault that befalls its result."""

    tool: ToolSpec
    arguments: Json
    fault: FaultKind | None

    def finish(self, outcome: Outcome) -> ToolResult:
        result = ToolResult(outcome.content, outcome.error, outcome.wrote, None, outcome.changes)
        if self.fault is None or outcome.error or (spoiled := spoil(self.fault, outcome.content)) is None:
            return result
        return replace(result, content=spoiled, fault=self.fault)


def _refusal(message: str) -> ToolResult:
    return ToolResult(orjson.dumps({"error": message}).decode(), error=True)
