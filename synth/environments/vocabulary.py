"""The nouns that all modes of environments share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

from synth.messages import Json, Tool
from synth.recipe.faults import FaultKind

TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What model APIs take as the name of a tool."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool and what the engine knows of it. ``output``: a JSON Schema of what it returns, where one is declared."""

    tool: Tool
    writes: bool
    output: Json | None = None

    @property
    def name(self) -> str:
        return self.tool.name

    @property
    def defaults(self) -> Json:
        """What its parameters are where a call leaves them out."""
        properties: Json = self.tool.parameters.get("properties", {})
        return {
            name: schema["default"]
            for name, schema in properties.items()
            if isinstance(schema, dict) and "default" in schema
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two states. ``path`` is a JSON Pointer (RFC 6901)."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None

    def to_dict(self) -> Json:
        data: Json = {"path": self.path}
        if self.kind != "added":
            data["before"] = self.before
        if self.kind != "removed":
            data["after"] = self.after
        return data


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What one call came to. ``content`` is JSON text for the agent (but for an injected ``malformed``).

    ``error``: the call was refused or failed, and the agent may try something else. ``wrote``: the state changed,
    by ``changes``. ``fault``: the fault that was injected here.
    """

    content: str
    error: bool = False
    wrote: bool = False
    fault: FaultKind | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call as the agent made it, and its result."""

    name: str
    arguments: str
    result: ToolResult


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a session says of one call. ``printed`` is what the tool's code wrote to its output, cut short."""

    content: str
    error: bool = False
    changes: tuple[Change, ...] = ()
    wrote: bool = False
    printed: str = ""


class Session(Protocol):
    """One conversation's side of whatever carries out the tools: a worker process, a model, an MCP server.

    Every method may raise ``EnvironmentFault``.
    """

    async def call(self, tool: ToolSpec, arguments: Json) -> Outcome:
        """Carry out a call whose arguments satisfy the tool's schema."""

    async def state(self) -> Json:
        """The state, a copy."""

    async def state_hash(self) -> str:
        """32 hex digits; equal states have equal hashes."""

    async def violations(self) -> list[str]:
        """The invariants that do not hold, in words."""

    def fresh(self) -> AbstractAsyncContextManager[Self]:
        """A session as this one was at its start, that answers the same calls in the same way."""

    async def rerun(self, calls: Sequence[tuple[ToolSpec, Json]]) -> tuple[list[Outcome], str]:
        """The outcomes of these calls in a fresh session, and the hash of the state that they lead to."""


async def call_again(session: Session, calls: Sequence[tuple[ToolSpec, Json]]) -> tuple[list[Outcome], str]:
    """``rerun``, one call after the other."""
    async with session.fresh() as other:
        outcomes = [await other.call(tool, arguments) for tool, arguments in calls]
        return outcomes, await other.state_hash()
