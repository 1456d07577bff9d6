"""YAML files of an environment as pydantic models, with everything that is wrong at its line and column."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from synth.errors import Problem, RecipeError, UsageError
from synth.recipe.explain import bad_value
from synth.recipe.problems import Problems, did_you_mean
from synth.recipe.yaml import YamlProblem, parse_yaml

Model = TypeVar("Model", bound=BaseModel)


def read_declaration(path: Path, model: type[Model]) -> tuple[Model, Problems]:
    """What ``path`` declares, and a collector for further problems of it.

    Raises ``UsageError`` where it cannot be read, ``RecipeError`` where it is wrong.
    """
    text = read_text(path)
    try:
        document = parse_yaml(text)
    except YamlProblem as error:
        raise RecipeError([Problem(str(path), error.line, error.column, error.message, error.hint)]) from error
    problems = Problems(str(path), document.keys, document.values)
    for found in document.problems:
        problems.add(Problem(str(path), found.line, found.column, found.message, found.hint))
    try:
        made = model.model_validate(document.data)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _explain(details, model, problems)
    problems.raise_if_any()
    return made, problems


def read_text(path: Path) -> str:
    """The file's text. Raises ``UsageError``."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}") from error


def _explain(details: ErrorDetails, model: type[BaseModel], problems: Problems) -> None:
    path = details["loc"]
    label = ".".join(str(part) for part in path)
    if details["type"] == "extra_forbidden":
        known = _known(model, path[:-1])
        problems.at_key(path, f"unknown key {str(path[-1])!r}", did_you_mean(str(path[-1]), known, "known keys"))
    elif details["type"] == "missing":
        problems.at(path[:-1], f"{label!r} is missing")
    elif details["type"] == "value_error":
        said = details["msg"].removeprefix("Value error, ")
        problems.at(path, f"{label!r}: {said}" if label else said)
    else:
        bad_value(details, path, problems)


def _known(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return []
        model = field.annotation
    return list(model.model_fields)
