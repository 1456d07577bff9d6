"""A real MCP server's tools as a mock environment: the schemas are read once, and a model acts the tools out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from synth.environments.mcp_client import Listing, ServerFailed, connect
from synth.environments.spec import ServerSpec
from synth.errors import UsageError
from synth.files import write_atomically
from synth.messages import Json

_ANYTHING = ["string", "number", "boolean", "array", "object", "null"]


async def import_environment(server: str, folder: Path, *, seconds: float = 30) -> Listing:
    """Write ``env.yaml`` and ``tools.yaml`` into ``folder`` from a server: a command line, or the URL of one.

    Raises ``UsageError`` where the server cannot be reached or an environment is there already.
    """
    if (folder / "env.yaml").exists():
        raise UsageError(f"{folder} holds an environment already", hint="name another folder, or remove that one")
    described = describe_server(server)
    try:
        async with connect(described, Path.cwd(), seconds=seconds) as connection:
            listing = connection.listing
    except ServerFailed as error:
        raise UsageError(str(error), hint="see whether the command or URL works by itself") from error
    if not listing.tools:
        raise UsageError("the MCP server offers no tools")
    folder.mkdir(parents=True, exist_ok=True)
    tools = [_declared(tool.tool.to_dict()["function"], tool.output, tool.writes) for tool in listing.tools]
    write_atomically(folder / "tools.yaml", [_yaml({"tools": tools})])
    write_atomically(folder / "env.yaml", [_env_file(listing, described)])
    return listing


def describe_server(text: str) -> ServerSpec:
    """Raises ``UsageError`` where the command line is empty or its quotes do not match."""
    if re.match(r"https?://", text):
        return ServerSpec(url=text)
    try:
        command = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no command line: {error}") from error
    if not command:
        raise UsageError("the command is empty", hint="--mcp 'program argument…' or --mcp http://host/mcp")
    return ServerSpec(command=command)


def _declared(function: Json, output: Json | None, writes: bool) -> Json:
    made: Json = {"name": function["name"], "description": function["description"]}
    if writes:
        made["writes"] = True
    made["parameters"] = _typed(function["parameters"])
    if output is not None:
        made["output"] = _typed(output)
    return made


def _typed(schema: Any) -> Any:
    """A property without a type takes anything; tools.yaml has that said."""
    if isinstance(schema, list):
        return [_typed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _typed(value) for key, value in schema.items()}
    for name, inner in made.get("properties", {}).items() if isinstance(made.get("properties"), dict) else ():
        if not isinstance(inner, dict):
            made["properties"][name] = {"type": _ANYTHING}
        elif not {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"} & inner.keys():
            made["properties"][name] = {"type": _ANYTHING, **inner}
    return made


def _env_file(listing: Listing, server: ServerSpec) -> bytes:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", listing.name).strip("-.") or "imported"
    described = listing.instructions.strip() or f"The tools of the MCP server {listing.name or 'imported here'}."
    head = _yaml({"name": name[:80], "description": described, "mode": "mock"})
    live = {"command": server.command} if server.command else {"url": server.url}
    flow = yaml.safe_dump(live, default_flow_style=True, width=10_000, allow_unicode=True).strip()
    return (
        head
        + (
            "\n# A model acts the tools out. To use the server itself, with a session for each conversation, instead:\n"
            f"# mode: live\n# server: {flow}\n"
        ).encode()
    )


def _yaml(data: Json) -> bytes:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100).encode()
