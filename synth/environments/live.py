"""Mode ``live``: the tools are those of a real MCP server, with one session for each conversation.

The state of a server cannot be seen: in its place stand the write calls so far and what came of them. A conversation is
replayed in a new session, so the server's state has to begin anew with each, as it does where the server is a program
that is started for the session. A tool reads where the server says so (``readOnlyHint``), and otherwise writes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from synth.environments.mcp_client import Connection, Listing, ServerFailed, connect
from synth.environments.spec import EnvironmentSpec, ServerSpec
from synth.environments.vocabulary import Outcome, ToolSpec, call_again
from synth.errors import EnvironmentFault, UsageError
from synth.fingerprint import fingerprint
from synth.messages import Json


class LiveTools:
    """An environment's server; ``listing`` is what it offered when the environment was opened."""

    def __init__(self, server: ServerSpec, folder: Path, seconds: float) -> None:
        self._server = server
        self._folder = folder
        self._seconds = seconds
        self.listing = Listing("", "", (), {})

    async def probe(self) -> None:
        """Ask once what the server offers. Raises ``UsageError``."""
        try:
            async with connect(self._server, self._folder, seconds=self._seconds) as connection:
                self.listing = connection.listing
        except ServerFailed as error:
            raise UsageError(str(error), hint="see whether the server's command or URL works by itself") from error
        if not self.listing.tools:
            raise UsageError("the MCP server offers no tools")

    @asynccontextmanager
    async def session(self) -> AsyncIterator[LiveSession]:
        try:
            async with connect(self._server, self._folder, seconds=self._seconds) as connection:
                self.refuse_change(connection.listing)
                yield LiveSession(self, connection)
        except ServerFailed as error:
            raise EnvironmentFault(str(error)) from error

    def refuse_change(self, now: Listing) -> None:
        """Raises ``EnvironmentFault`` where the server offers other tools than at first."""
        before = {tool.name: tool for tool in self.listing.tools}
        after = {tool.name: tool for tool in now.tools}
        said = [f"{name} is gone" for name in before if name not in after]
        said += [f"{name} is new" for name in after if name not in before]
        said += [f"{name} is another one" for name, tool in after.items() if name in before and before[name] != tool]
        if said:
            raise EnvironmentFault(f"the MCP server has changed its tools since the run began: {', '.join(said[:5])}")


class LiveSession:
    """One conversation with the server."""

    def __init__(self, tools: LiveTools, connection: Connection) -> None:
        self._tools = tools
        self._connection = connection
        self._writes: list[Json] = []

    async def call(self, tool: ToolSpec, arguments: Json) -> Outcome:
        try:
            content, error = await self._connection.call(tool.name, arguments)
            if error:
                self._tools.refuse_change(await self._connection.list_tools())
        except ServerFailed as failure:
            raise EnvironmentFault(f"tool {tool.name!r}: {failure}") from failure
        wrote = tool.writes and not error
        if wrote:
            self._writes.append({"tool": tool.name, "arguments": arguments, "answer": content})
        return Outcome(content, error=error, wrote=wrote)

    async def state(self) -> Json:
        return {"writes": list(self._writes)}

    async def state_hash(self) -> str:
        return fingerprint(await self.state())

    async def violations(self) -> list[str]:
        return []

    async def rerun(self, calls: Sequence[tuple[ToolSpec, Json]]) -> tuple[list[Outcome], str]:
        return await call_again(self, calls)

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[LiveSession]:
        async with self._tools.session() as session:
            yield session


async def open_live(spec: EnvironmentSpec) -> LiveTools:
    """The server's tools. Raises ``UsageError`` where it cannot be reached."""
    assert spec.server is not None  # load_environment sees to it
    tools = LiveTools(spec.server, spec.folder, spec.limits.seconds)
    await tools.probe()
    return tools
