"""``synth preview``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from synth.messages import Json
    from synth.reader import RunReader
    from synth.recipe.load import LoadedRecipe

_REJECTED_SHOWN = 2


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("-n", "number", type=click.IntRange(1), default=3, show_default=True, help="How many examples, in all.")
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a field, as in synth run.")
@click.option("--quiet", is_flag=True, help="Show the examples and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print the examples as JSON lines.")
@pass_terminal
def command(
    terminal: Terminal, recipe: Path, number: int, overrides: tuple[str, ...], quiet: bool, as_json: bool
) -> int:
    """Make a few examples of RECIPE and show them, with some of what was rejected; nothing is kept.

    The examples are those that a run begins with. Exit status as of synth run.
    """
    import tempfile

    from synth.events import ignore
    from synth.job import run
    from synth.progress.show import show_progress
    from synth.reader import RunReader
    from synth.recipe.load import load_recipe

    loaded = load_recipe(recipe, overrides=overrides)
    terminal.hide(loaded.secrets)
    listener = ignore if quiet else show_progress(terminal.console(), live=terminal.live, ending=False)
    with tempfile.TemporaryDirectory(prefix="synth-preview-") as folder:
        result = run(_first(loaded, number), run_dir=folder, listener=listener)
        if as_json:
            import orjson

            for row in result.rows():
                click.echo(orjson.dumps(row).decode())
        else:
            with RunReader(Path(folder)) as reader:
                terminal.print(*_render(reader))
    if not quiet:
        terminal.say(_took(result.summary))
    if result.ending.exit_code:
        terminal.say(f"synth: {result.ending.status}: {result.ending.message}")
    return result.ending.exit_code


def _first(loaded: LoadedRecipe, number: int) -> LoadedRecipe:
    """The recipe with ``number`` examples in all, given to its generators in turn, and without waiting for batches."""
    from dataclasses import replace

    specs = loaded.recipe.generate
    counts = [min(spec.count, (number + len(specs) - 1 - place) // len(specs)) for place, spec in enumerate(specs)]
    chosen = [spec.model_copy(update={"count": n}) for spec, n in zip(specs, counts, strict=True) if n]
    models = {name: spec.model_copy(update={"batch": False}) for name, spec in loaded.recipe.models.items()}
    return replace(loaded, recipe=loaded.recipe.model_copy(update={"generate": chosen, "models": models}))


def _render(reader: RunReader) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    from synth.progress.example import describe, render_messages

    for name in reader.generators:
        for attempt in reader.attempts(generator=name, accepted=True):
            yield Rule(describe(attempt.row), align="left", style="dim")
            yield Padding(render_messages(attempt.row["messages"]), (0, 0, 1, 2))
        for attempt in reader.attempts(generator=name, accepted=False, newest=_REJECTED_SHOWN):
            yield Rule(f"{attempt.unit} · rejected by {attempt.gate}", align="left", style="dim")
            yield Text(f"  why: {attempt.row['reason']}", style="yellow")
            text = " ".join(str(attempt.row.get("text") or "").split())
            yield Padding(Text(text[:600]), (0, 0, 1, 2))


def _took(summary: Json) -> str:
    from synth.progress.ending import beside_estimate
    from synth.progress.words import format_reasons

    took = next(iter(beside_estimate(summary)), "").strip()
    rejected = format_reasons(summary["rejected"])
    return f"{summary['accepted']} accepted" + (f", rejected: {rejected}" if rejected else "") + f"; {took}"
