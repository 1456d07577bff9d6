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
from dataclasses import replace

import orjson

from synth.environments.arguments import ArgumentSchema, suggest
from synth.environments.authoring import ToolError
from synth.environments.faults import answer_instead, draw, spoil
from synth.environments.vocabulary import RecordedCall, Session, ToolResult, ToolSpec
from synth.errors import EnvironmentFault
from synth.fingerprint import fingerprint_text
from synth.messages import Json, Tool
from synth.recipe.faults import FaultRates

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
        made: Json = orjson.loads(await self._session.state())
        return made

    async def state_hash(self) -> str:
        """32 hex digits; equal states have equal hashes."""
        return fingerprint_text((await self._session.state()).decode())

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
        differences = []
        async with self.fresh() as other:
            for number, done in enumerate(self.calls, 1):
                again = await other.call(done.name, done.arguments)
                if again != done.result:
                    differences.append(f"call {number} ({done.name}) gave another result")
            if await other.state_hash() != await self.state_hash():
                differences.append("the end state is another one")
        return differences

    async def _answer(self, name: str, arguments: str) -> ToolResult:
        if name not in self._offered:
            return _refusal(f"there is no tool {name[:80]!r}{suggest(name, self._offered)}")
        spec, schema = self._offered[name]
        try:
            values = schema.parse(arguments)
        except ToolError as error:
            return _refusal(str(error))
        fault = draw(self.faults, self.seed, len(self._calls))
        if fault is not None and (said := answer_instead(fault)) is not None:
            return ToolResult(said, error=True, fault=fault)
        outcome = await self._session.call(spec, values)
        result = ToolResult(outcome.content, outcome.error, outcome.wrote, None, outcome.changes)
        if fault is not None and not outcome.error and (spoiled := spoil(fault, outcome.content)) is not None:
            result = replace(result, content=spoiled, fault=fault)
        return result


def _refusal(message: str) -> ToolResult:
    return ToolResult(orjson.dumps({"error": message}).decode(), error=True)
