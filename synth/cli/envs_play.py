"""``synth envs play``: a terminal in place of the agent."""

from __future__ import annotations

import sys
from typing import Any

import click
import orjson

from synth.environments.environment import Environment
from synth.environments.mock import MockRequest
from synth.environments.spec import EnvironmentSpec
from synth.environments.vocabulary import Change, ToolResult
from synth.environments.world import World, open_environment
from synth.errors import EnvironmentFault

_HELP = """\
  NAME {"argument": value}   call a tool
  tools                      what can be called
  tool NAME                  one tool in full
  policy                     what the agent may and may not do
  state [POINTER]            the state, or a part of it: state /orders/W2378156
  quit                       or end of input"""


async def play_environment(spec: EnvironmentSpec, *, seed: int, faults: bool) -> None:
    """Read lines from stdin until they end, and then say whether the invariants hold."""
    async with (
        open_environment(spec) as world,
        world.start(seed, faults=None if faults else {}, responder=_ask_the_player) as environment,
    ):
        click.echo(f"{world.name}: {world.description}\n{_HELP}")
        while (line := _read("> ")) is not None:
            words = line.strip().split(maxsplit=1)
            if words and words[0] in {"quit", "exit"}:
                break
            if words:
                try:
                    await _carry_out(world, environment, words[0], words[1] if len(words) > 1 else "")
                except EnvironmentFault as fault:
                    click.echo(f"fault: {fault.reason}; this conversation is over")
                    return
        broken = await environment.violations()
        for violation in broken:
            click.echo(f"broken: {violation}")
        click.echo(f"{len(environment.calls)} calls; state {await environment.state_hash()}")


async def _carry_out(world: World, environment: Environment, word: str, rest: str) -> None:
    match word:
        case "help":
            click.echo(_HELP)
        case "tools":
            _list_tools(world)
        case "tool":
            found = [tool for tool in environment.tools() if tool.name == rest.strip()]
            click.echo(_pretty(found[0].to_dict()["function"]) if found else f"there is no tool {rest!r}")
        case "policy":
            click.echo(world.policy or "there is none")
        case "state":
            click.echo(_pretty(_part(await environment.state(), rest.strip())))
        case name:
            _show(await environment.call(name, rest or "{}"))


def _list_tools(world: World) -> None:
    for tool in world.tools:
        parameters = tool.tool.parameters
        required = parameters.get("required", ())
        names = ", ".join(name if name in required else f"{name}?" for name in parameters.get("properties", {}))
        first = tool.tool.description.splitlines()[0]
        click.echo(f"  {tool.name}({names}){' writes' if tool.writes else ''}\n      {first}")


def _show(result: ToolResult) -> None:
    try:
        click.echo(_pretty(orjson.loads(result.content)))
    except orjson.JSONDecodeError:  # an injected fault cut it off
        click.echo(result.content)
    if result.fault:
        click.echo(f"  injected: {result.fault}")
    for change in result.changes:
        click.echo(f"  {_described(change)}")


def _described(change: Change) -> str:
    match change.kind:
        case "added":
            return f"+ {change.path}: {_short(change.after)}"
        case "removed":
            return f"- {change.path}: {_short(change.before)}"
        case "changed":
            return f"~ {change.path}: {_short(change.before)} → {_short(change.after)}"


async def _ask_the_player(request: MockRequest) -> Any:
    click.echo(f"  {request.tool.name} {_short(request.arguments)}: what does it answer, as JSON?")
    if request.problem:
        click.echo(f"  that cannot be used: {request.problem}")
    line = _read("= ")
    try:
        return orjson.loads(line or "null")
    except orjson.JSONDecodeError:
        return line


def _read(prompt: str) -> str | None:
    """A line of stdin, without blocking anyone but the player; None at its end."""
    if sys.stdin.isatty():
        click.echo(prompt, nl=False, err=True)
    return sys.stdin.readline() or None


def _part(state: Any, pointer: str) -> Any:
    for part in pointer.strip("/").split("/") if pointer.strip("/") else []:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(state, dict) and key in state:
            state = state[key]
        elif isinstance(state, list) and key.isdigit() and int(key) < len(state):
            state = state[int(key)]
        else:
            return f"there is no {pointer}"
    return state


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 120 else f"{text[:117]}…"
