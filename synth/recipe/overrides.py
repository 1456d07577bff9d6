"""``--set path=value`` and ``--count N``: fields of a recipe given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synth.errors import UsageError
from synth.messages import Json
from synth.recipe.problems import did_you_mean
from synth.recipe.yaml import KeyPath, YamlProblem, parse_value


def apply_overrides(data: Json, overrides: Sequence[str], count: int | None) -> dict[KeyPath, str]:
    """Change ``data`` in place, in order, ``count`` last; which paths were given, and by which words.

    A path is keys and list indices with dots between; a generator is named by its index or its id. A key that is not
    there is added, a value that is not there to hold it is not. Raises ``UsageError``.
    """
    origins: dict[KeyPath, str] = {}
    for override in overrides:
        words = f"--set {override}"
        dotted, equals, text = override.partition("=")
        if not equals or not dotted.strip():
            raise UsageError(f"{words}: no 'path=value'", hint="for example --set generate.0.count=5")
        try:
            value = parse_value(text)
        except YamlProblem as problem:
            raise UsageError(
                f"{words}: the value is not YAML: {problem.message}", hint="quote it as in the recipe"
            ) from problem
        origins[_assign(data, dotted.strip().split("."), value, words)] = words
    generators = data.get("generate")
    if count is not None and isinstance(generators, list):
        for index, generator in enumerate(generators):
            if isinstance(generator, dict):
                generator["count"] = count
                origins["generate", index, "count"] = f"--count {count}"
    return origins


def _assign(data: Json, names: list[str], value: Any, words: str) -> KeyPath:
    path: tuple[str | int, ...] = ()
    place: Any = data
    for position, name in enumerate(names):
        last = position == len(names) - 1
        so_far = ".".join(names[:position]) or "the recipe"
        if isinstance(place, list):
            key: str | int = _index(place, name, so_far, words, by_id=path == ("generate",))
        elif isinstance(place, dict):
            key = name
        else:
            raise UsageError(f"{words}: {so_far!r} holds a single value, so it has no {name!r}")
        if last:
            place[key] = value
        elif isinstance(place, dict) and place.get(name) is None:
            place[name] = {}
        path = (*path, key)
        place = place[key]
    return path


def _index(place: list[Any], name: str, so_far: str, words: str, *, by_id: bool) -> int:
    if name.isdecimal() and int(name) < len(place):
        return int(name)
    ids = [item.get("id", item.get("kind")) for item in place if isinstance(item, dict)] if by_id else []
    if name in ids:
        return ids.index(name)
    known = [*map(str, range(len(place))), *(str(one) for one in ids if one)]
    raise UsageError(f"{words}: {so_far!r} has no {name!r}", hint=did_you_mean(name, known, "it has"))
