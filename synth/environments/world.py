"""An environment opened for work: its tools are known, and conversations can start in it.

``open_environment`` is the one entry: it starts whatever carries out the tools, once for all conversations.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from synth.environments.arguments import ArgumentSchema
from synth.environments.environment import Environment
from synth.environments.python import open_python
from synth.environments.spec import EnvironmentSpec
from synth.environments.vocabulary import Session, ToolSpec
from synth.recipe.faults import FaultRates

StartSession = Callable[[int], AbstractAsyncContextManager[Session]]


class World:
    """``tools`` in the order in which they are offered."""

    def __init__(self, spec: EnvironmentSpec, tools: tuple[ToolSpec, ...], start: StartSession) -> None:
        self.spec = spec
        self.tools = tools
        self._start = start
        self._offered = {tool.name: (tool, ArgumentSchema(tool.tool.parameters)) for tool in tools}

    @asynccontextmanager
    async def start(self, seed: int, *, faults: FaultRates | None = None) -> AsyncIterator[Environment]:
        """A fresh environment, for one conversation. The same seed is the same world, with the same faults.

        ``faults`` instead of those of ``env.yaml``; ``{}`` for none.
        """
        rates = self.spec.faults if faults is None else faults
        async with self._start(seed) as session:
            yield Environment(self._offered, session, seed=seed, faults=rates, policy=self.spec.policy)


@asynccontextmanager
async def open_environment(spec: EnvironmentSpec) -> AsyncIterator[World]:
    """Raises ``RecipeError`` where the tools file cannot be used."""
    async with open_python(spec) as tools:
        yield World(spec, tools.tools, tools.session)
