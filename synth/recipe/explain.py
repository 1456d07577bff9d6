"""What pydantic says of a recipe, in a recipe writer's words and at the place where the words stand."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from synth.recipe.base import CLASS_PATH, FILLED, IDENTIFIER, NAME, URL
from synth.recipe.cleaning import LANGUAGE
from synth.recipe.gates import GATES, PLUGIN_TAG, PluginGateSpec
from synth.recipe.kinds.custom import PluginSpec
from synth.recipe.kinds.union import KINDS
from synth.recipe.problems import Problems, did_you_mean
from synth.recipe.schema import Recipe
from synth.recipe.yaml import KeyPath

_MAPPING = "must be a mapping (key: value)"
_WHOLE = "must be a whole number"
_SAYS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": _MAPPING,
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE + " of at most 64 bits",
    "int_type": _WHOLE,
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "model_type": _MAPPING,
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be text",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entry",
}
_PATTERNS = {
    NAME: "must be a name: letters, digits, '_', '.' and '-', the first a letter or digit",
    IDENTIFIER: "must be a name that templates can use: letters, digits and '_', the first no digit",
    CLASS_PATH: "must be 'module:Class'",
    FILLED: "must not be empty",
    LANGUAGE: "must be a two-letter code of a language, such as en",
    URL: "must begin with http:// or https://",
}
_TAGGED: Mapping[str, type[BaseModel]] = {f"<{name}>": spec for name, spec in {**KINDS, **GATES}.items()} | {
    "<plugin>": PluginSpec,
    PLUGIN_TAG: PluginGateSpec,
}
_TAGS = {"<list>", "<mapping>", "<number>", "<text>", "<weights>", *_TAGGED}
_SECRET = {"api_key", "headers", "env"}


def explain(
    error: ValidationError, problems: Problems, references: Mapping[KeyPath, str], root: type[BaseModel] = Recipe
) -> None:
    """Add a problem for everything that ``error`` says of a recipe, or of another file that ``root`` describes.

    ``references`` are the texts, such as ``${VAR}``, of the values that the environment gave: those are shown instead.
    """
    found = error.errors(include_url=False)
    given = {details["loc"] for details in found if details["type"] == "extra_forbidden"}
    for details in found:
        location = details["loc"]
        if details["type"] == "missing" and _is_misspelt(location, given):
            continue  # the unknown key says it, with what was meant
        path = tuple(part for part in location if not _is_tag(part))
        match details["type"]:
            case "extra_forbidden":
                _unknown_key(location, path, problems, root)
            case "missing":
                hint = _description((*location[:-1], path[-1]), root)
                problems.at(path[:-1], f"{path[-1]!r} is missing{_inside(path[:-1])}", hint)
            case "union_tag_not_found" | "union_tag_invalid":
                _unknown_variant(details["input"], path, problems)
            case _ if path and path[-1] == "[key]":
                problems.at_key(path[:-1], f"{path[-2]!r} {constraint(details)}")
            case _ if path in references and path in problems.blamed:
                pass  # it follows from the variable that is not set
            case _:
                bad_value(details, path, problems, references.get(path))


def _is_misspelt(missing: tuple[int | str, ...], unknown: Collection[tuple[int | str, ...]]) -> bool:
    """Whether an unknown key beside a missing one is that one, misspelt."""
    beside = [str(key[-1]) for key in unknown if key[:-1] == missing[:-1]]
    return bool(get_close_matches(str(missing[-1]), beside))


def _unknown_key(location: tuple[int | str, ...], path: KeyPath, problems: Problems, root: type[BaseModel]) -> None:
    known = [
        field.alias or name for spec in _specs_at(location[:-1], root) for name, field in spec.model_fields.items()
    ]
    hint = did_you_mean(str(path[-1]), known, "known keys")
    problems.at_key(path, f"unknown key {path[-1]!r}{_inside(path[:-1])}", hint)


def _unknown_variant(given: Any, path: KeyPath, problems: Problems) -> None:
    """An entry of ``generate`` without a known ``kind``, or one of ``gates`` without a known ``gate``."""
    key, known = ("gate", list(GATES)) if path[0] == "gates" else ("kind", list(KINDS))
    all_of_them = f"{key}s: {', '.join(known)}, or module:Class for your own"
    if not isinstance(given, dict):
        says = f"must be the name of a {key}, or a mapping with '{key}'" if key == "gate" else _MAPPING
        problems.at(path, f"{_label(path)} {says}{_got(given)}")
    elif key not in given:
        problems.at(path, f"{key!r} is missing{_inside(path)}", all_of_them)
    elif isinstance(name := given[key], str):
        hint = did_you_mean(name, known, "")
        problems.at((*path, key), f"unknown {key} {name!r}", hint if hint.startswith("did") else all_of_them)
    else:
        problems.at((*path, key), f"{key!r} must be text{_got(name)}", all_of_them)


def bad_value(details: ErrorDetails, path: KeyPath, problems: Problems, reference: str | None = None) -> None:
    """Add a problem for the value at ``path``; ``reference`` is the text that stands for it in the file, if any."""
    value, hint = details["input"], ""
    relation = isinstance(value, dict) and details["type"] not in _SAYS  # between the values in it, which it names
    got = "" if _SECRET & set(path) or relation else f" (it was given as {reference})" if reference else _got(value)
    if reference is not None:
        hint = ""
    elif details["type"] == "literal_error":
        choices = re.findall(r"'([^']*)'", details["ctx"]["expected"])
        hint = did_you_mean(str(value), choices, "known")
    elif details["type"] == "string_type" and isinstance(value, int | float):
        hint = "put it in quotes"
    elif value is None and path and isinstance(path[-1], str):
        hint = "remove the line to have the default"
    problems.at(path, f"{_label(path)} {constraint(details)}{got}", hint)


def constraint(details: ErrorDetails) -> str:
    """What a value must be, in words that go on after its name."""
    kind, context = details["type"], details.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"must match {context['pattern']}")
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind == "too_short" and context["min_length"] > 1:
        return f"must have at least {context['min_length']} entries"
    said = _SAYS.get(kind)
    return said.format(**context) if said else details["msg"]


def _label(path: KeyPath) -> str:
    """The value's name as the user knows it: its key, or the list's name and the index."""
    if path and isinstance(path[-1], int):
        return f"'{'.'.join(str(part) for part in path[-2:])}'"
    return repr(path[-1]) if path else "the recipe"


def _inside(path: KeyPath) -> str:
    return f" in {'.'.join(str(part) for part in path)}" if path else ""


def _got(value: Any) -> str:
    match value:
        case None:
            return ", got nothing"
        case bool():
            return f", got {str(value).lower()}"
        case str():
            return f", got {value!r}" if len(value) <= 60 else f", got {value[:57]!r}…"
        case dict():
            return ", got a mapping"
        case list():
            return f", got a list of {len(value)}" if value else ", got an empty list"
        case _:
            return f", got {value}"


def _is_tag(part: int | str) -> bool:
    """Whether a part of an error's location is a union's tag: the schema writes those ``<tag>``."""
    return part in _TAGS


def _description(location: tuple[int | str, ...], root: type[BaseModel]) -> str:
    """The first sentence of a field's docstring."""
    for spec in _specs_at(location[:-1], root):
        for name, field in spec.model_fields.items():
            if location[-1] in {name, field.alias} and field.description:
                sentence = re.split(r"(?<=\.)\s", field.description)[0]
                return f"{location[-1]}: {' '.join(sentence.split())}"
    return ""


def _specs_at(location: tuple[int | str, ...], root: type[BaseModel]) -> list[type[BaseModel]]:
    """The models that a mapping at an error's location may be."""
    found: list[Any] = [root]
    for part in location:
        found = [inner for annotation in found for inner in _step(annotation, part)]
    return [member for annotation in found for member in _members(annotation) if _is_spec(member)]


def _step(annotation: Any, part: int | str) -> Iterator[Any]:
    for member in _members(annotation):
        if _is_tag(part):
            if member is _TAGGED.get(str(part), member):
                yield member
        elif _is_spec(member):
            yield from (field.annotation for name, field in member.model_fields.items() if part in {name, field.alias})
        elif get_origin(member) in {list, dict}:
            yield get_args(member)[-1]


def _members(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _is_spec(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
