"""The command line. Subcommands are imported when they are used, so that ``synth --help`` is quick."""

from __future__ import annotations

import importlib
import sys

import click

from synth.errors import RecipeError, SynthError

_COMMANDS = {
    "run": "Make a recipe's dataset.",
    "models": "List and fetch the small models that synth runs itself.",
}


class _Lazy(click.Group):
    """A group whose commands lie in modules of their own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"synth.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="synth")
def cli() -> None:
    """A small curated set in, a checked training set out."""


def main() -> None:
    """Entry point: runs a command and turns what went wrong into one message and the right exit code."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except SynthError as error:
        report(error)
        sys.exit(error.exit_code)


def report(error: SynthError) -> None:
    """Say on stderr what went wrong and what to do next."""
    if isinstance(error, RecipeError):
        for problem in error.problems:
            click.echo(f"{problem}", err=True)
            if problem.hint:
                click.echo(f"    {problem.hint}", err=True)
        return
    click.echo(f"synth: {error.message}", err=True)
    if error.hint:
        click.echo(f"    {error.hint}", err=True)


if __name__ == "__main__":
    main()
