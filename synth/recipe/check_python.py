"""Checks the Python of a step's ``check`` without running it: its syntax, and imports that its sandbox would refuse."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from synth.recipe.problems import Problems
from synth.recipe.yaml import KeyPath

_NETWORK = frozenset(
    "ftplib http.client http.server imaplib nntplib poplib smtplib socket socketserver ssl telnetlib urllib.request "
    "xmlrpc.client xmlrpc.server".split()
)


def check_python(at: KeyPath, source: str, problems: Problems) -> None:
    """Add a problem for what is no Python, and for every module that a check cannot use."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        problems.at(at, f"not Python: line {error.lineno}: {error.msg}")
        return
    except (ValueError, RecursionError, MemoryError):
        problems.at(at, "not Python: too complicated")
        return
    for name in dict.fromkeys(_imported(tree)):
        if name in _NETWORK:
            problems.at(at, f"the check imports {name!r}: it runs in a sandbox without a network")
        elif name.partition(".")[0] not in sys.stdlib_module_names:
            problems.at(at, f"the check imports {name!r}: in its sandbox there is only the standard library")


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (
                found if (found := f"{node.module}.{alias.name}") in _NETWORK else node.module for alias in node.names
            )
