"""``synth validate``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal

if TYPE_CHECKING:
    from synth.prepared import Prepared


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a field, as in synth run.")
@click.option("--count", type=int, metavar="N", help="Give every generator this count, as in synth run.")
@pass_terminal
def command(terminal: Terminal, recipe: Path, overrides: tuple[str, ...], count: int | None) -> None:
    """Say everything that is wrong with RECIPE, its seeds and its templates, each at file:line:column.

    Asks no model and no server. Exit status: 0 when it can be run, 2 when it cannot.
    """
    from synth.prepared import prepare
    from synth.recipe.load import load_recipe

    loaded = load_recipe(recipe, overrides=overrides, count=count)
    terminal.hide(loaded.secrets)
    if any(spec.provider == "embedded" for spec in loaded.recipe.models.values()):
        from synth.models.embedded.provider import require_llama_cpp

        require_llama_cpp()
    terminal.say(f"{recipe}: ok: {_summary(prepare(loaded))}")


def _summary(prepared: Prepared) -> str:
    recipe = prepared.loaded.recipe
    kinds = Counter(spec.kind for spec in recipe.generate)
    wanted = sum(spec.count for spec in recipe.generate)
    parts = [f"{wanted:,} examples by {', '.join(f'{kind} × {n}' if n > 1 else kind for kind, n in kinds.items())}"]
    if prepared.seeds:
        parts.append(f"from {len(prepared.seeds):,} seeds")
    if prepared.cleaned is not None and str(prepared.cleaned):
        parts.append(f"({prepared.cleaned})")
    models = [f"{name} ({spec.provider})" for name, spec in recipe.models.items()]
    return f"{' '.join(parts)}, with {', '.join(models)}"
