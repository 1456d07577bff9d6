"""A real MCP server that keeps notes, and misbehaves when asked to. ``python mcp_notes.py [PORT]``; stdio without."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("Field Notes", instructions="Keeps the notes of a field station.")
notes: list[str] = []


@server.tool()
def add_note(text: str, priority: int = 1, tag: str | None = None) -> dict[str, Any]:
    """Add a note."""
    notes.append(text)
    return {"number": len(notes), "priority": priority, "tag": tag}


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def list_notes() -> list[str]:
    """All notes, oldest first."""
    return notes


@server.tool(name="notes.clear")
def clear() -> str:
    """Throw all notes away."""
    notes.clear()
    return "gone"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def read_note(number: int) -> str:
    """One note, by its number."""
    if not 1 <= number <= len(notes):
        from mcp.server.mcpserver.exceptions import ToolError

        raise ToolError(f"there is no note {number}")
    return notes[number - 1]


@server.tool()
def crash() -> str:
    """End the server."""
    print("out of ink", file=sys.stderr, flush=True)
    os._exit(3)


@server.tool()
async def hang() -> str:
    """Never answer."""
    await asyncio.sleep(600)
    return ""


@server.tool()
def learn() -> str:
    """Offer one tool more, and fail."""
    server.add_tool(lambda: "new", name="new_tool", description="New.")
    raise ValueError("confused")


if Path("extra-tool").exists():
    server.add_tool(lambda: "new", name="extra_tool", description="Extra.")

if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run()
