"""Mode ``python``: the tools are the user's code, and run in a worker process with limits of time and memory.

One process serves all conversations of an environment, one call at a time; a call costs some twenty microseconds more
than in this process. When the process dies, the call that it was carrying out has failed; every other conversation
gets its state back in a new process from its seed and the calls that wrote, for tools are deterministic.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from synth.environments.process import WorkerDied, WorkerProcess
from synth.environments.spec import EnvironmentSpec
from synth.environments.vocabulary import Change, Outcome, ToolSpec
from synth.errors import EnvironmentFault, Problem, RecipeError
from synth.messages import Json, Tool

_IMPORT_SECONDS = 20.0


class PythonTools:
    """The opened tools file of an environment."""

    def __init__(self, spec: EnvironmentSpec, process: WorkerProcess) -> None:
        self._spec = spec
        self.process = process
        self._numbers = itertools.count()
        self.tools: tuple[ToolSpec, ...] = ()
        self.printed = ""

    async def start(self) -> None:
        """Raises ``RecipeError`` where the tools file cannot be used."""
        file = str(self._spec.tools)
        try:
            said = await self.process.start()
        except WorkerDied as error:
            message = f"importing it {error}"
            raise RecipeError([Problem(file, 0, 0, message, "importing must not wait, loop or compute")]) from error
        if "problem" in said:
            line, message, hint = said["problem"]
            raise RecipeError([Problem(file, line, 1 if line else 0, message, hint)])
        self.printed = said["printed"]
        self.tools = tuple(
            ToolSpec(Tool(tool["name"], tool["description"], tool["parameters"]), tool["writes"])
            for tool in said["tools"]
        )

    async def start_again(self) -> None:
        """Another process, after one has died. Raises ``EnvironmentFault`` where the tools file is now another one."""
        before = self.tools
        try:
            await self.start()
        except RecipeError as error:
            raise EnvironmentFault(str(error)) from error
        if self.tools != before:
            raise EnvironmentFault(f"{self._spec.tools} has been changed since the run began")

    @asynccontextmanager
    async def session(self, seed: int) -> AsyncIterator[PythonSession]:
        made = PythonSession(self, next(self._numbers), seed)
        try:
            yield made
        finally:
            await made.end()


class PythonSession:
    """One conversation's state, in the worker."""

    def __init__(self, tools: PythonTools, number: int, seed: int) -> None:
        self._tools = tools
        self._process = tools.process
        self._number = number
        self._seed = seed
        self._lifetime = 0
        self._writes: list[Json] = []

    async def call(self, tool: ToolSpec, arguments: Json) -> Outcome:
        request = {"op": "call", "session": self._number, "tool": tool.name, "arguments": arguments}
        reply = await self._ask(request, f"tool {tool.name!r}")
        changes = reply.get("changes", ())
        if changes:
            self._writes.append(request)
        return Outcome(
            content=reply["content"],
            error=reply.get("error", False),
            changes=tuple(Change(*change) for change in changes),
            wrote=bool(changes),
            printed=reply.get("printed", ""),
        )

    async def state(self) -> bytes:
        async with self._process.lock:
            return await self._ask_for({"op": "state", "session": self._number}, "its state")

    async def violations(self) -> list[str]:
        reply = await self._ask({"op": "violations", "session": self._number}, "an invariant")
        return [str(one) for one in reply["violations"]]

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[PythonSession]:
        async with self._tools.session(self._seed) as session:
            yield session

    async def end(self) -> None:
        """The worker may forget the state."""
        async with self._process.lock:
            if self._lifetime == self._process.lifetime and self._process.running:
                try:
                    await self._process.ask({"op": "end", "session": self._number})
                except WorkerDied:
                    return  # and with it the state

    async def _ask(self, request: Json, culprit: str) -> Json:
        async with self._process.lock:
            reply: Json = orjson.loads(await self._ask_for(request, culprit))
            if "ends" in reply:
                self._process.kill()
        if "fault" in reply:
            raise EnvironmentFault(reply["fault"])
        return reply

    async def _ask_for(self, request: Json, culprit: str) -> bytes:
        try:
            if self._lifetime != self._process.lifetime or not self._process.running:
                await self._restore()
            return await self._process.ask(request)
        except WorkerDied as error:
            raise EnvironmentFault(f"{culprit} {error}") from error

    async def _restore(self) -> None:
        """Put the state into the present process: a new one, or one that does not know this conversation."""
        if not self._process.running:
            await self._tools.start_again()
        start = {"op": "start", "session": self._number, "seed": self._seed}
        for request in (start, *self._writes):
            try:
                reply = orjson.loads(await self._process.ask(request))
            except WorkerDied as error:
                raise EnvironmentFault(f"making the state {error}") from error
            if "fault" in reply:
                raise EnvironmentFault(reply["fault"])
        self._lifetime = self._process.lifetime


@asynccontextmanager
async def open_python(spec: EnvironmentSpec) -> AsyncIterator[PythonTools]:
    """Import the tools in a worker process, which ends with this context."""
    process = WorkerProcess(
        {
            "tools": str(spec.tools),
            "invariants": dict(spec.invariants),
            "state_file": str(spec.state) if isinstance(spec.state, Path) else None,
            "state_function": spec.state if isinstance(spec.state, str) else None,
            "memory_mb": spec.limits.memory_mb,
            "seconds": spec.limits.seconds,
            "import_seconds": _IMPORT_SECONDS,
        }
    )
    tools = PythonTools(spec, process)
    try:
        await tools.start()
        yield tools
    finally:
        process.kill()
