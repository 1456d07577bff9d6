"""What a docstring says to a model: the description, and a line for each parameter.

Google style (``Args:``) and reST style (``:param name:``) are understood; without either, everything is description.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?|Notes?):\s*$")
_PARAMETER = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_FIELD = re.compile(r"^:(param(?:eter)?|returns?|raises|type|rtype)(?:\s+[^:]*?)?(?:(?<=\s)(\w+))?\s*:\s*(.*)$")
_ARGUMENTS = {"Args", "Arguments", "Parameters"}


def parse_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The description (with what is returned, without what is raised) and the text for each parameter."""
    parts: dict[str, list[str]] = {"": []}
    parameters: dict[str, list[str]] = {}
    section, target = "", parts[""]
    indent = 0
    for line in inspect.cleandoc(function.__doc__ or "").splitlines():
        heading, field = _SECTION.match(line), _FIELD.match(line)
        if heading is not None:
            section, indent = heading[1], 0
            target = parts.setdefault(section, [])
        elif field is not None:
            section = field[1]
            target = parameters.setdefault(field[2] or "", []) if section.startswith("param") else []
            if section.startswith("return"):
                target = parts.setdefault("Returns", [])
            target.append(field[3])
        elif section in _ARGUMENTS and line.strip():
            depth = len(line) - len(line.lstrip())
            indent = indent or depth
            found = _PARAMETER.match(line.strip())
            if depth <= indent and found is not None:
                target = parameters.setdefault(found[1], [])
                target.append(found[2])
            else:
                target.append(line.strip())
        else:
            target.append(line.strip() if section else line)
    description = "\n".join(parts[""]).strip()
    returns = _flat(parts.get("Returns") or parts.get("Return") or [])
    if returns:
        description = f"{description}\n\nReturns: {returns}".strip()
    return description, {name: text for name, lines in parameters.items() if (text := _flat(lines))}


def _flat(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines if line.strip())
