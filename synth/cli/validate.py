"""``synth validate``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal

if TYPE_CHECKING:
    from synth.prepared import Prepared
    from synth.recipe.load import LoadedRecipe
    from synth.recipe.yaml import KeyPath


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
    _check_named(loaded)
    terminal.say(f"{recipe}: ok: {_summary(prepare(loaded))}")


def _check_named(loaded: LoadedRecipe) -> None:
    """Raises ``RecipeError`` for what a recipe names and cannot be used, as a run would find out when it needs it."""
    from synth.errors import RecipeError, UsageError
    from synth.models.embedded.pull import is_path
    from synth.models.embedded.registry import find_model
    from synth.models.scripted import load_rules
    from synth.plugins import load_class
    from synth.recipe.gates import PluginGateSpec
    from synth.recipe.kinds.custom import PluginSpec

    recipe, base = loaded.recipe, loaded.base
    checks: list[tuple[KeyPath, Callable[[], object]]] = []
    if recipe.budget.usd is not None:
        from synth.budget import require_prices

        checks.append((("budget", "usd"), partial(require_prices, recipe)))
    for name, model in recipe.models.items():
        if model.provider == "embedded" and model.model is not None and not is_path(model.model):
            checks.append((("models", name, "model"), partial(find_model, model.model)))
        if model.provider == "scripted" and model.answers is not None:
            checks.append((("models", name, "answers"), partial(load_rules, base / model.answers)))
    for index, spec in enumerate(recipe.generate):
        if isinstance(spec, PluginSpec):
            checks.append((("generate", index, "kind"), partial(load_class, spec.kind, base)))
    for index, gate in enumerate(recipe.gates):
        if isinstance(gate, PluginGateSpec):
            checks.append((("gates", index), partial(load_class, gate.gate, base)))
    problems = loaded.problems()
    for at, check in checks:
        try:
            check()
        except RecipeError as error:
            for found in error.problems:
                problems.add(found)
        except UsageError as error:
            problems.at(at, error.message, error.hint)
    problems.raise_if_any()


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
