"""Mode ``python``: the tools are the user's code, and run in a worker process with limits of time and memory.

One process serves all conversations of an environment, one request at a time; what need not be answered at once goes
with the next request. When the process dies, the call that it was carrying out has failed; every other conversation
gets its state back in a new process from its seed and the calls that wrote, for tools are deterministic.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from synth.environments.process import WorkerDied, WorkerProcess
from synth.environments.spec import EnvironmentSpec
from synth.environments.vocabulary import Change, Outcome, ToolSpec
from synth.errors import EnvironmentFault, Problem, RecipeError
from synth.messages import Json, Tool

_IMPORT_SECONDS = 20.0
WORLDS = 64
"""How many different states a generator is asked for; the conversation's seed picks one. Making a state costs more than
a whole conversation does, so each is made once."""


class PythonTools:
    """The opened tools file of an environment."""

    def __init__(self, spec: EnvironmentSpec, process: WorkerProcess) -> None:
        self._spec = spec
        self.process = process
        self._numbers = itertools.count()
        self._made: set[tuple[int, int]] = set()
        self._waiting: list[Json] = []
        self.over: list[int] = []
        """Conversations that have ended, of which the worker has not been told yet."""
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
        made = PythonSession(self, self.next_number(), seed)
        try:
            yield made
        finally:
            made.end()

    def next_number(self) -> int:
        """Names a conversation to the worker."""
        return next(self._numbers)

    async def begin(self, number: int, world: int, writes: Sequence[Json] = ()) -> None:
        """Have the worker hold a conversation's state, after these calls; whoever asks has locked the process.

        What cannot go wrong is only noted, and sent along with the next request. Raises ``EnvironmentFault``.
        """
        if not self.process.running:
            self._waiting = []
            await self.start_again()
        self._waiting += [{"op": "start", "session": number, "world": world}, *writes]
        if writes or (self.process.lifetime, world) not in self._made:
            await self.ask([], "making the state")
            self._made.add((self.process.lifetime, world))

    async def ask(self, requests: Sequence[Json], culprit: str) -> list[Json]:
        """The replies. Raises ``EnvironmentFault`` for a fault, and in ``culprit``'s name when the process dies."""
        over = [{"op": "end", "sessions": self.over}] if self.over else []
        before, self._waiting, self.over = [*over, *self._waiting], [], []
        try:
            replies = await self.process.ask([*before, *requests])
        except WorkerDied as error:
            raise EnvironmentFault(f"{culprit} {error}") from error
        if "ends" in replies[-1]:
            self.process.kill()
        if "fault" in replies[-1]:
            raise EnvironmentFault(replies[-1]["fault"])
        return replies[len(before) :]


class PythonSession:
    """One conversation's state, in the worker."""

    def __init__(self, tools: PythonTools, number: int, seed: int) -> None:
        self._tools = tools
        self._number = number
        self._world = seed % WORLDS
        self._lifetime = 0
        self._writes: list[Json] = []

    async def call(self, tool: ToolSpec, arguments: Json) -> Outcome:
        request = {"op": "call", "session": self._number, "tool": tool.name, "arguments": arguments}
        outcome = _outcome(await self._ask(request, f"tool {tool.name!r}"))
        if outcome.wrote:
            self._writes.append(request)
        return outcome

    async def state(self) -> Json:
        state: Json = (await self._ask({"op": "state", "session": self._number}, "its state"))["state"]
        return state

    async def state_hash(self) -> str:
        return str((await self._ask({"op": "digest", "session": self._number}, "its state"))["digest"])

    async def violations(self) -> list[str]:
        reply = await self._ask({"op": "violations", "session": self._number}, "an invariant")
        return [str(one) for one in reply["violations"]]

    async def rerun(self, calls: Sequence[tuple[ToolSpec, Json]]) -> tuple[list[Outcome], str]:
        number = self._tools.next_number()
        asked = [{"op": "call", "session": number, "tool": tool.name, "arguments": given} for tool, given in calls]
        async with self._tools.process.lock:
            await self._tools.begin(number, self._world)
            *replies, last = await self._tools.ask([*asked, {"op": "digest", "session": number}], "the replay")
        self._tools.over.append(number)
        return [_outcome(reply) for reply in replies], str(last["digest"])

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[PythonSession]:
        async with self._tools.session(self._world) as session:
            yield session

    def end(self) -> None:
        """The worker may forget the state."""
        self._tools.over.append(self._number)

    async def _ask(self, request: Json, culprit: str) -> Json:
        tools, process = self._tools, self._tools.process
        async with process.lock:
            if self._lifetime != process.lifetime or not process.running:
                # The present process does not know this conversation: it is new, or the process is.
                await tools.begin(self._number, self._world, self._writes)
                self._lifetime = process.lifetime
            return (await tools.ask([request], culprit))[-1]


def _outcome(reply: Json) -> Outcome:
    changes = reply.get("changes", ())
    return Outcome(
        content=reply["content"],
        error=reply.get("error", False),
        changes=tuple(Change(*change) for change in changes),
        wrote=bool(changes),
        printed=reply.get("printed", ""),
    )


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
