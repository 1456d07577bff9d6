"""From a recipe's file to a checked :class:`Recipe`, or to everything that is wrong with it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from synth.errors import Problem, RecipeError
from synth.messages import Json
from synth.recipe.check import check
from synth.recipe.diversity import EmbedderSpec
from synth.recipe.environment import substitute
from synth.recipe.explain import explain
from synth.recipe.fill_mix import fill_counts
from synth.recipe.models import ModelSpec
from synth.recipe.overrides import apply_overrides
from synth.recipe.plain import mapping
from synth.recipe.problems import Problems, did_you_mean
from synth.recipe.schema import Recipe
from synth.recipe.space import AxisError, build_space
from synth.recipe.yaml import MAX_BYTES, KeyPath, YamlProblem, parse_yaml

__all__ = ["LoadedRecipe", "load_recipe"]


@dataclass(frozen=True, slots=True)
class LoadedRecipe:
    """A recipe that is right as far as can be told without asking anyone.

    ``base`` is what relative paths in it are relative to. ``references`` holds, for each place where the environment
    had a say, the text that was written there (``${VAR}``): the lock keeps that. ``secrets`` are texts that must
    reach no file, log or error. ``places`` knows where everything stands.
    """

    recipe: Recipe
    path: Path
    base: Path
    text: str
    references: Mapping[KeyPath, str]
    secrets: tuple[str, ...]
    places: Problems

    def problems(self) -> Problems:
        """A collector for what is found wrong later, with what the recipe names."""
        return replace(self.places, found=[], blamed=set())


def load_recipe(
    path: str | os.PathLike[str], *, overrides: Sequence[str] = (), count: int | None = None
) -> LoadedRecipe:
    """Read and check the recipe at ``path``; ``overrides`` are ``path=value``, ``count`` is for every generator.

    Raises ``RecipeError`` with all problems in the order of their position, ``UsageError`` for an override that does
    not say what it changes.
    """
    path = Path(path)
    text = _read_text(path)
    try:
        document = parse_yaml(text)
    except YamlProblem as error:
        hint = error.hint if error.line else "synth init DIR writes a recipe to begin with"
        raise _refused(path, error.message, hint, error.line, error.column) from error
    problems = Problems(str(path), document.keys, document.values, text.split("\n"))
    for found in document.problems:
        problems.add(_yaml_problem(path, found))
    written = document.data
    problems.origins = apply_overrides(written, overrides, count)

    used: dict[KeyPath, tuple[str, ...]] = {}
    _default_api_keys(written, problems)
    data: Json = substitute(written, os.environ, problems, used)
    fill_counts(data, path.parent, problems)
    recipe = None
    try:
        recipe = Recipe.model_validate(data)
    except ValidationError as error:
        explain(error, problems, {at: _look_up(written, at) for at in used})
    check(data, path.parent, problems)
    if recipe is not None:
        check_axes(recipe, problems)
    problems.raise_if_any()
    assert recipe is not None
    return LoadedRecipe(
        recipe=recipe,
        path=path,
        base=path.parent,
        text=text,
        references={at: _look_up(written, at) for at in used},
        secrets=_secrets(recipe, used),
        places=problems,
    )


def _yaml_problem(path: Path, found: YamlProblem) -> Problem:
    return Problem(str(path), found.line, found.column, found.message, found.hint)


def _default_api_keys(written: Json, problems: Problems) -> None:
    """OpenAI's own endpoint, the default of provider ``openai``, needs a key: where none is given, OPENAI_API_KEY."""
    for name, model in mapping(written.get("models")).items():
        given = mapping(model)
        if given.get("provider") != "openai" or given.get("base_url") is not None or given.get("api_key") is not None:
            continue
        if os.environ.get("OPENAI_API_KEY"):
            given["api_key"] = "${OPENAI_API_KEY}"
        else:
            hint = "set OPENAI_API_KEY, give an api_key: ${VAR}, or a base_url where no key is needed"
            problems.at(("models", name), f"the model {name!r} at api.openai.com needs a key", hint)


def check_axes(recipe: Recipe, problems: Problems) -> None:
    """Add a problem where the axes name each other wrongly or leave nothing."""
    try:
        build_space(recipe.axes, recipe.exclude)
    except AxisError as error:
        problems.at(error.path, str(error), error.hint)


def is_secret(path: KeyPath) -> bool:
    """Whether what stands at ``path`` may be a credential."""
    if path[:3] == ("diversity", "embedder", "api_key"):
        return True
    return len(path) >= 3 and path[0] == "models" and path[2] in {"api_key", "headers", "env"}


def _secrets(recipe: Recipe, used: Mapping[KeyPath, tuple[str, ...]]) -> tuple[str, ...]:
    found = {value for path, values in used.items() if is_secret(path) for value in values}
    endpoints: list[ModelSpec | EmbedderSpec] = [*recipe.models.values()]
    for model in recipe.models.values():
        found.update(model.headers.values())
    if recipe.diversity != "off" and isinstance(recipe.diversity.embedder, EmbedderSpec):
        endpoints.append(recipe.diversity.embedder)
    for endpoint in endpoints:
        password = urlsplit(endpoint.base_url or "").password or ""
        found.update([endpoint.api_key or "", password, unquote(password)])
    # A shorter text than this protects nothing, and hiding it would make messages unreadable.
    return tuple(sorted(value for value in found if len(value) >= 4))


def _look_up(data: Any, path: KeyPath) -> str:
    for part in path:
        data = data[part]
    return str(data)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refused(path, "there is no such recipe", _similar(path)) from None
    except IsADirectoryError:
        recipes = sorted(found.name for found in path.glob("*.y*ml"))
        hint = f"it holds {', '.join(recipes[:5])}" if recipes else "name the YAML file"
        raise _refused(path, "this is a folder, not a recipe", hint) from None
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise _refused(
            path,
            "a recipe has at most 1 MiB, this file has more",
            "is it a data file? seeds belong in a file of their own",
        )
    if b"\0" in content:
        raise _refused(path, "this is a binary file, not a recipe in YAML")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        message = f"the byte 0x{content[error.start]:02X} is not UTF-8 text"
        raise RecipeError([Problem(str(path), line, column, message, "save the file as UTF-8")]) from error


def _similar(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r} either"
    known = [str(found) for found in sorted(path.parent.glob("*.y*ml"))[:200]]
    return did_you_mean(str(path), known, "recipes there") if known else ""


def _refused(path: Path, message: str, hint: str = "", line: int = 0, column: int = 0) -> RecipeError:
    return RecipeError([Problem(str(path), line, column, message, hint)])
