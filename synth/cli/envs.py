"""``synth envs``: list the environments, check one, or be the agent in it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from synth.environments.spec import find_environment, load_environment
from synth.errors import EXIT_FAILED, SynthError
from synth.shipped import shipped

if TYPE_CHECKING:
    from synth.environments.check import Check


@click.group()
def command() -> None:
    """Environments: tools with a state, for agents to work in."""


@command.command("list")
def list_() -> None:
    """The environments that come with synth, and those in ./envs."""
    for root in (Path("envs"), shipped("envs")):
        for path in sorted(root.glob("*/env.yaml")):
            try:
                spec = load_environment(path.parent)
            except SynthError as error:
                click.echo(f"{path.parent.name:<16} cannot be used: {error.message.splitlines()[0]}")
                continue
            click.echo(f"{path.parent.name:<16} {spec.mode:<7} {spec.description}")
        if root.resolve() == shipped("envs").resolve():
            return


@command.command()
@click.argument("path")
@click.option("--calls", type=click.IntRange(min=0), default=1000, show_default=True, help="Random calls to make.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random walk.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def check(context: click.Context, path: str, calls: int, seed: int, as_json: bool) -> None:
    """Check an environment: its files, and by a random walk that it keeps its promises.

    PATH is a folder with an env.yaml, or the name of a shipped environment.
    """
    from synth.environments.check import check_environment

    spec = load_environment(find_environment(path, Path.cwd()))
    result = asyncio.run(check_environment(spec, calls=calls, seed=seed))
    if as_json:
        click.echo(orjson.dumps(result.to_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(result)
    if result.problems:
        context.exit(EXIT_FAILED)


@command.command("import")
@click.option("--mcp", "server", required=True, help="The command line of an MCP server, or its URL.")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="A new folder.")
def import_(server: str, folder: Path) -> None:
    """Make a mock environment of the tools of a real MCP server."""
    from synth.environments.mcp_import import import_environment

    listing = asyncio.run(import_environment(server, folder))
    click.echo(f"{folder}: {len(listing.tools)} tools: {', '.join(tool.name for tool in listing.tools)}")


@command.command()
@click.argument("path")
@click.option("--seed", type=int, default=0, show_default=True, help="Which world, and which faults.")
@click.option("--faults/--no-faults", default=False, help="Inject the faults that env.yaml declares.")
def play(path: str, seed: int, faults: bool) -> None:
    """Be the agent: type the name of a tool and its arguments as JSON, and see what changes.

    In a mock environment you are asked for the tools' answers too.
    """
    from synth.cli.envs_play import play_environment

    spec = load_environment(find_environment(path, Path.cwd()))
    asyncio.run(play_environment(spec, seed=seed, faults=faults))


def _show(result: Check) -> None:
    counts = result.tools
    succeeded, wrote = sum(one.succeeded for one in counts.values()), sum(one.wrote for one in counts.values())
    click.echo(f"{result.name} ({result.mode}): {len(counts)} tools")
    if result.calls:
        click.echo(
            f"random walk: {result.calls:,} calls in {result.conversations} conversations; {succeeded:,} succeeded, "
            f"{result.calls - succeeded:,} were refused, {wrote:,} changed the state"
        )
        width = max(map(len, counts))
        for name, count in counts.items():
            click.echo(f"  {name:<{width}}  {count.calls:>4} calls {count.succeeded:>4} ok {count.wrote:>4} wrote")
    if result.broken_invariants:
        click.echo("invariants that the walk broke, as wrong actions should:")
    for name, times in result.broken_invariants.most_common():
        click.echo(f"  {name} ({times})")
    for note in result.notes:
        click.echo(f"note: {note}")
    for problem in result.problems:
        click.echo(f"problem: {problem}")
    click.echo("not fit for use" if result.problems else "fit for use")
