"""``${VAR}`` and ``${VAR:-default}`` in a recipe's texts; ``$${VAR}`` stands for a literal ``${VAR}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synth.recipe.problems import Problems
from synth.recipe.yaml import KeyPath

_REFERENCE = re.compile(r"\$?\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def substitute(
    value: Any, environ: Mapping[str, str], problems: Problems, used: dict[KeyPath, tuple[str, ...]], path: KeyPath = ()
) -> Any:
    """``value`` with every reference replaced by what ``environ`` holds.

    As in a shell, the default stands in for a variable that is unset or empty. ``used`` receives, for each path where
    the environment had a say, the values that it gave.
    """
    if isinstance(value, dict):
        return {key: substitute(item, environ, problems, used, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, environ, problems, used, (*path, index)) for index, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value

    given: list[str] = []

    def replace(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        name, default = match["name"], match["default"]
        found = environ.get(name)
        if found is None and default is None:
            hint = f"set it, or give a default: ${{{name}:-…}}; a literal ${{{name}}} is written $${{{name}}}"
            problems.at(path, f"the environment variable {name} is not set", hint)
        if found is not None and not found.isascii() and "\udc80" <= max(found) <= "\udcff":
            problems.at(path, f"the environment variable {name} is not UTF-8 text")
        given.append(found or "")
        return default if default is not None and not found else found or ""

    result = _REFERENCE.sub(replace, value)
    if given:
        used[path] = tuple(text for text in given if text)
    return result
