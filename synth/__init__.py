"""synth: a small curated set in, a checked training set out.

    from synth import load_recipe, run, show_progress

    result = run(load_recipe("recipe.yaml"), listener=show_progress())
    for row in result.rows():
        print(row["messages"])

What is imported from here is stable; everything is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth.errors import RecipeError as RecipeError
    from synth.errors import SynthError as SynthError
    from synth.job import RunResult as RunResult
    from synth.job import run as run
    from synth.progress.show import show_progress as show_progress
    from synth.recipe.load import LoadedRecipe as LoadedRecipe
    from synth.recipe.load import load_recipe as load_recipe

_HOMES = {
    "LoadedRecipe": "synth.recipe.load",
    "RecipeError": "synth.errors",
    "RunResult": "synth.job",
    "SynthError": "synth.errors",
    "load_recipe": "synth.recipe.load",
    "run": "synth.job",
    "show_progress": "synth.progress.show",
}

__all__ = ["LoadedRecipe", "RecipeError", "RunResult", "SynthError", "load_recipe", "run", "show_progress"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'synth' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
