"""Loading a recipe from text, and its problems as a user reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import RecipeError
from synth.recipe.load import LoadedRecipe, load_recipe


def load(text: str | bytes, *overrides: str, count: int | None = None) -> LoadedRecipe:
    path = Path("r.yaml")
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_recipe(path, overrides=overrides, count=count)


def problems(text: str | bytes, *overrides: str, count: int | None = None) -> list[str]:
    """Each as ``where: message (hint)``."""
    with pytest.raises(RecipeError) as caught:
        load(text, *overrides, count=count)
    return [f"{found} ({found.hint})" if found.hint else str(found) for found in caught.value.problems]
