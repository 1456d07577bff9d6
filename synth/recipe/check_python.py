"""Checks the Python of a step's ``check`` without running it: its syntax, and imports that its sandbox would refuse."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping

from synth.recipe.problems import Problems
from synth.recipe.yaml import KeyPath

_NETWORK = frozenset(
    "ftplib http.client http.server imaplib nntplib poplib smtplib socket socketserver ssl telnetlib urllib.request "
    "xmlrpc.client xmlrpc.server".split()
)


def check_python(at: KeyPath, source: str, out_of_reach: Mapping[str, str], problems: Problems) -> None:
    """Add a problem for what is no Python or could never say no, and for every name or module that a check cannot use.

    ``out_of_reach`` are names that have no value yet, with why.
    """
    try:
        tree = ast.parse(source)
        compile(tree, "check", "exec", dont_inherit=True)
    except SyntaxError as error:
        problems.at(at, f"not Python: line {error.lineno}: {error.msg}")
        return
    except (ValueError, RecursionError, MemoryError):
        problems.at(at, "not Python: too complicated")
        return
    for statement in tree.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Compare | ast.BoolOp | ast.UnaryOp):
            told = ast.unparse(statement)
            problems.at(at, f"the check compares and does nothing with it: {told}", f"write: assert {told}")
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    used = {node.id for node in names} - {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for name in sorted(used & out_of_reach.keys()):
        problems.at(at, f"the check uses {name!r} too early: {out_of_reach[name]}")
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
