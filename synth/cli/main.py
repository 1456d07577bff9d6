"""The command line. Subcommands are imported when they are used, so that ``synth --help`` is quick."""

from __future__ import annotations

import importlib
import os
import sys

import click
from click.shell_completion import CompletionItem

from synth.cli.terminal import Terminal
from synth.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, SynthError

_COMMANDS = {
    "init": "Write a commented recipe that runs, and seeds for it.",
    "run": "Make a recipe's dataset, or finish it where an earlier run ended.",
    "validate": "Say everything that is wrong with a recipe, offline.",
    "check": "Ask each model and environment a few small things, to see what works.",
    "preview": "Make a few examples and show them; nothing is kept.",
    "plan": "Say what a run will take, and show its first prompts, offline.",
    "status": "Say how far a run has come.",
    "show": "Show an example or a rejected attempt, with every call behind it.",
    "view": "Look at a run in the browser, and mark its examples.",
    "report": "Write a run's pictures, counts and examples as one HTML file.",
    "export": "Write a run's dataset in the format a trainer loads.",
    "push": "Put a run's dataset on the Hugging Face hub.",
    "verify": "Say what was changed by hand in a run folder.",
    "diff": "Compare two runs: recipes, counts, and rows.",
    "govern": "Apply a policy to a run, and draft what is to be published of it.",
    "forget": "Remove a seed and all that came from it from a run.",
    "private": "Tell one number about private rows, with differential privacy.",
    "clean": "Write a file with its texts clean, and say what was changed and dropped.",
    "dedup": "Write a file without its near-duplicates.",
    "best": "Write the best rows of a run, by a score.",
    "measure": "Measure how varied a dataset is.",
    "judge": "Judge a run's rows by a rubric, and the judges by labels.",
    "schema": "Print the JSON Schema of recipes, for editors.",
    "models": "List and fetch the small models that synth runs itself.",
    "envs": "List and check environments, and be the agent in one.",
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], _COMMANDS, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else "See 'synth --help' for all of them."
            raise click.UsageError(f"there is no command {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # Click's own would import every command for its help text.
        names = [CompletionItem(name, help=text) for name, text in _COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


def _say_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"synth {version('synth')}")
        except PackageNotFoundError:
            click.echo("synth, run from a checkout")
        ctx.exit()


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_say_version, help="Show the version."
)
def cli() -> None:
    """A small curated set in, a checked training set out."""


def main() -> None:
    """Entry point: runs a command and turns what went wrong into one message and the right exit code."""
    terminal = Terminal()
    try:
        code = _run(terminal)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has gone; nothing more can be said there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    sys.exit(code)


def _run(terminal: Terminal) -> int:
    try:
        code = cli.main(prog_name="synth", standalone_mode=False, obj=terminal)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return EXIT_USAGE
    except click.ClickException as error:
        from synth.cli.failures import report_usage

        report_usage(terminal, error)
        return EXIT_USAGE
    except click.Abort:
        return EXIT_INTERRUPTED
    except SynthError as error:
        from synth.cli.failures import report

        report(terminal, error)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last place where anyone could say it clearly
        from synth.cli.failures import report_defect

        report_defect(terminal, error)
        return EXIT_FAILED


if __name__ == "__main__":
    main()
