"""The one place that speaks MCP: connect to a server, list its tools, call them, and say clearly what went wrong.

The SDK's connections belong to the task that opened them, so each lives in a task of its own, and is asked through a
queue.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

import orjson

from synth.environments.json_schema import plain_schema
from synth.environments.spec import ServerSpec
from synth.environments.tools_file import closed
from synth.environments.vocabulary import ToolSpec
from synth.errors import UsageError
from synth.messages import Json, Tool

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult
    from mcp.types import Tool as McpTool

START_SECONDS = 30.0
_MOST_PAGES = 50
_LOST = "the connection is closed"


class ServerFailed(Exception):
    """The server cannot be reached, has died or does not answer; ``str()`` says which."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server says of itself. ``original`` maps a tool's name here to its name there."""

    name: str
    instructions: str
    tools: tuple[ToolSpec, ...]
    original: Mapping[str, str]


class Connection:
    """An open session with a server. Made by :func:`connect`; ``log`` is what the server's program writes to stderr."""

    def __init__(self, seconds: float, log: IO[str]) -> None:
        self._seconds = seconds
        self.log = log
        self._requests: asyncio.Queue[tuple[str | None, Json, asyncio.Future[Any]]] = asyncio.Queue()
        self._present: asyncio.Future[Any] | None = None
        self._over: ServerFailed | None = None
        self.listing = Listing("", "", (), {})

    async def call(self, name: str, arguments: Json) -> tuple[str, bool]:
        """JSON text of the result, and whether it is an error that the agent may mend. Raises ``ServerFailed``."""
        result: tuple[str, bool] = await self._ask(self.listing.original[name], arguments)
        return result

    async def list_tools(self) -> Listing:
        """The tools as the server offers them now. Raises ``ServerFailed``."""
        listing: Listing = await self._ask(None, {})
        return listing

    async def _ask(self, name: str | None, arguments: Json) -> Any:
        if self._over is not None:
            raise self._over
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._requests.put_nowait((name, arguments, answer))
        return await answer

    async def serve(self, client: Client, ready: asyncio.Future[None]) -> None:
        """Answer requests, one after the other, until cancelled."""
        self.listing = await _list(client)
        ready.set_result(None)
        while True:
            name, arguments, self._present = await self._requests.get()
            try:
                made: Any = await (_list(client) if name is None else self._call(client, name, arguments))
                if not self._present.done():
                    self._present.set_result(made)
            except ServerFailed as error:
                _fail(self._present, error)

    def end(self, reason: ServerFailed) -> None:
        """No request is answered any more."""
        self._over = reason
        if self._present is not None:
            _fail(self._present, reason)
        while not self._requests.empty():
            _fail(self._requests.get_nowait()[2], reason)

    async def _call(self, client: Client, name: str, arguments: Json) -> tuple[str, bool]:
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT

        try:
            result = await client.call_tool(name, arguments, read_timeout_seconds=self._seconds)
        except MCPError as error:
            if error.code == REQUEST_TIMEOUT:
                raise ServerFailed(f"the MCP server did not answer within {self._seconds:g} s") from error
            if error.code == CONNECTION_CLOSED:
                raise ServerFailed(f"the MCP server has died{_last_words(self.log)}") from error
            return orjson.dumps({"error": error.message}).decode(), True
        except (RuntimeError, ValueError) as error:  # the answer is not what the tool's output schema says
            raise ServerFailed(f"the MCP server broke its own schema: {str(error).splitlines()[0]}") from error
        return _content(result), result.is_error


@asynccontextmanager
async def connect(server: ServerSpec, folder: Path, *, seconds: float) -> AsyncIterator[Connection]:
    """A session with the server; a command is started, in ``folder``, and ended with this context.

    ``seconds`` bounds each call. Raises ``ServerFailed``, and ``UsageError`` where the SDK is not installed.
    """
    _need_sdk()
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        connection = Connection(seconds, log)
        task = asyncio.create_task(_hold(connection, server, folder, ready))
        try:
            await asyncio.wait({task, ready}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise ServerFailed(f"the MCP server did not answer within {START_SECONDS:g} s")
            await ready
            yield connection
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            if ready.done() and not ready.cancelled():
                ready.exception()  # seen, if it was raised above


async def _hold(connection: Connection, server: ServerSpec, folder: Path, ready: asyncio.Future[None]) -> None:
    """Keep the session open until cancelled; whatever ends it is told to whoever waits."""
    reason = ServerFailed(_LOST)
    try:
        async with _client(server, folder, connection.log) as client:
            await connection.serve(client, ready)
    except Exception as error:  # noqa: BLE001
        # Whatever the SDK, the server or the network raise, alone or in groups, means one thing here.
        reason = ServerFailed(f"the MCP server failed: {_root(error)}{_last_words(connection.log)}")
        reason.__cause__ = error
    finally:
        connection.end(reason)
        if not ready.done():
            ready.set_exception(reason)


@asynccontextmanager
async def _client(server: ServerSpec, folder: Path, log: IO[str]) -> AsyncIterator[Client]:
    from mcp import Client, StdioServerParameters, stdio_client

    if server.url is None:
        command, *arguments = server.command
        parameters = StdioServerParameters(command=command, args=arguments, env=server.env or None, cwd=folder)
        async with Client(stdio_client(parameters, errlog=cast(TextIO, log)), cache=None) as client:
            yield client
        return
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    async with (
        create_mcp_http_client(headers=server.headers) as http,
        Client(streamable_http_client(server.url, http_client=http), cache=None) as client,
    ):
        yield client


async def _list(client: Client) -> Listing:
    from mcp import MCPError

    found: list[McpTool] = []
    cursor: str | None = None
    try:
        for _ in range(_MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if cursor is None:
                break
    except MCPError as error:
        raise ServerFailed(f"the MCP server lists no tools: {error.message}") from error
    info = client.server_info
    tools = tuple(_tool(tool) for tool in found)
    original = {spec.name: tool.name for spec, tool in zip(tools, found, strict=True)}
    if len(original) != len(found):
        raise ServerFailed("two tools of the MCP server differ only in characters that models cannot use")
    return Listing(info.name if info is not None else "", client.instructions or "", tools, original)


def _tool(tool: McpTool) -> ToolSpec:
    hints = tool.annotations
    reads = hints is not None and hints.read_only_hint is True
    name = re.sub(r"[^A-Za-z0-9_-]", "_", tool.name)[:64]
    description = (tool.description or tool.title or tool.name).strip()
    output = _plain(tool.output_schema) if tool.output_schema is not None else None
    return ToolSpec(Tool(name, description, closed(_plain(tool.input_schema))), not reads, output)


def _plain(schema: Json) -> Json:
    try:
        return plain_schema(schema)
    except (TypeError, KeyError):  # it contains itself, or refers to elsewhere
        return schema


def _content(result: CallToolResult) -> str:
    """The structured result where there is one, otherwise the texts; an error always as ``{"error": …}``."""
    texts = [block.text if block.type == "text" else f"[{block.type}]" for block in result.content]
    joined = "\n".join(texts)
    if result.is_error:
        return orjson.dumps({"error": joined or "the tool failed"}).decode()
    if result.structured_content is not None:
        return orjson.dumps(result.structured_content).decode()
    try:
        return orjson.dumps(orjson.loads(joined)).decode()
    except orjson.JSONDecodeError:
        return orjson.dumps(joined).decode()


def _fail(answer: asyncio.Future[Any], error: ServerFailed) -> None:
    if not answer.done():
        answer.set_exception(error)


def _need_sdk() -> None:
    try:
        import mcp  # noqa: F401
    except ImportError as error:
        raise UsageError("MCP servers need the package mcp", hint="pip install 'synth[mcp]'") from error


def _root(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = str(error).splitlines()
    return text[0] if text and text[0] else type(error).__name__


def _last_words(log: IO[str]) -> str:
    """The last line that a server's program wrote to stderr before it ended."""
    log.seek(0)
    lines = [line.strip() for line in log.read()[-4000:].splitlines() if line.strip()]
    return f" ({lines[-1][:200]})" if lines else ""
