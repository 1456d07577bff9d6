"""An environment opened for work: its tools are known, and conversations can start in it.

``open_environment`` is the one entry for environments in folders: it starts whatever carries out the tools, once for
all conversations. ``mock_world`` makes a world of tools that an agent has thought up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import takewhile

from synth.environments.arguments import ArgumentSchema
from synth.environments.environment import Environment
from synth.environments.memory import Remembered
from synth.environments.mock import MockSession, Responder
from synth.environments.spec import EnvironmentSpec
from synth.environments.vocabulary import Session, ToolSpec
from synth.recipe.faults import FaultRates

StartSession = Callable[[int, Responder | None, Sequence[Remembered]], AbstractAsyncContextManager[Session]]


class World:
    """``tools`` in the order in which they are offered; ``faults`` are the rates that ``env.yaml`` gives."""

    def __init__(
        self,
        name: str,
        description: str,
        tools: Sequence[ToolSpec],
        start: StartSession,
        *,
        policy: str = "",
        faults: FaultRates | None = None,
    ) -> None:
        self.name = name
        self.description = description
        self.tools = tuple(tools)
        self.policy = policy
        self.faults: FaultRates = faults or {}
        self._start = start
        self._offered = {tool.name: (tool, ArgumentSchema(tool.tool.parameters)) for tool in tools}

    def offering(self, names: Collection[str]) -> World:
        """This world with only those of its tools."""
        tools = [tool for tool in self.tools if tool.name in names]
        return World(self.name, self.description, tools, self._start, policy=self.policy, faults=self.faults)

    @asynccontextmanager
    async def start(
        self,
        seed: int,
        *,
        faults: FaultRates | None = None,
        responder: Responder | None = None,
        said: Sequence[Remembered] = (),
    ) -> AsyncIterator[Environment]:
        """A fresh environment, for one conversation. The same seed is the same world, with the same faults.

        ``faults`` instead of the world's own; ``{}`` for none. Mock tools need a ``responder``; ``said`` is what they
        answered to earlier calls, in whose world the conversation takes place: the same calls have these answers.
        """
        rates = self.faults if faults is None else faults
        async with self._start(seed, responder, said) as session:
            yield Environment(self._offered, session, seed=seed, faults=rates, policy=self.policy)


def mock_world(
    name: str, description: str, tools: Sequence[ToolSpec], *, policy: str = "", faults: FaultRates | None = None
) -> World:
    """A world whose tools a model acts out. Tool names must differ."""

    @asynccontextmanager
    async def start(_: int, responder: Responder | None, said: Sequence[Remembered]) -> AsyncIterator[Session]:
        if responder is None:
            raise ValueError(f"the tools of {name!r} are mock tools: World.start needs a responder")
        reads = list(takewhile(lambda one: not one.writes, said))
        yield MockSession(tools, responder, said[len(reads) :], reads)

    return World(name, description, tools, start, policy=policy, faults=faults)


@asynccontextmanager
async def open_environment(spec: EnvironmentSpec) -> AsyncIterator[World]:
    """Start what carries out the tools of ``spec``; it ends with this context.

    Raises ``RecipeError`` where a tools file cannot be used, ``UsageError`` where an MCP server cannot be reached.
    """
    if spec.mode == "mock":
        yield mock_world(spec.name, spec.description, spec.declared, policy=spec.policy, faults=spec.faults)
        return
    if spec.mode == "live":
        from synth.environments.live import open_live

        server = await open_live(spec)
        yield World(
            spec.name,
            spec.description,
            server.listing.tools,
            lambda *_: server.session(),
            policy=spec.policy,
            faults=spec.faults,
        )
        return
    from synth.environments.python import open_python

    async with open_python(spec) as tools:
        yield World(
            spec.name,
            spec.description,
            tools.tools,
            lambda seed, *_: tools.session(seed),
            policy=spec.policy,
            faults=spec.faults,
        )
