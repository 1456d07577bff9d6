"""``synth run``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from synth.events import Event, UnitDecided
from synth.recipe.load import load_recipe
from synth.run import run


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--run-dir", type=click.Path(path_type=Path), help="Where the run lives. Default: runs/<name>.")
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a field of the recipe.")
@click.option("--count", type=int, help="Give every generator this count.")
@click.option("--resume", type=click.Choice(["auto", "never", "require"]), default="auto", show_default=True)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Say everything as JSON lines on stderr.")
def command(
    recipe: Path,
    run_dir: Path | None,
    overrides: tuple[str, ...],
    count: int | None,
    resume: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Make the dataset of RECIPE, or finish it where an earlier run ended."""
    loaded = load_recipe(recipe, overrides=overrides, count=count)
    result = run(loaded, run_dir=run_dir, resume=resume, listener=_say)  # type: ignore[arg-type]
    click.echo(f"{result.ending} {result.summary}", err=True)
    sys.exit(result.ending.exit_code)


def _say(event: Event) -> None:
    if isinstance(event, UnitDecided):
        click.echo(f"{event}", err=True)
