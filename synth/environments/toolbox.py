"""What a ``tools.py`` offers, after it has been imported. Only the worker process does that."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from synth.environments.authoring import INVARIANT_MARK, TOOL_MARK, ToolMark
from synth.environments.signature import Signature, SignatureError
from synth.environments.vocabulary import TOOL_NAME
from synth.messages import Json

_MODULE = "tools"


class LoadError(Exception):
    """The file cannot be used; ``line`` is where, 0 where that is not known."""

    def __init__(self, message: str, line: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Entry:
    function: Callable[..., Any]
    signature: Signature
    writes: bool


class Toolbox:
    """The tools and invariants of the file at ``path``, and of the modules beside it that it imports.

    ``expressions`` are further invariants by name; an expression sees the state's top-level keys as variables and must
    be true. Raises ``LoadError``.
    """

    def __init__(self, path: Path, expressions: Mapping[str, str]) -> None:
        self._modules = [_import(path), *_beside(path)]
        self.tools: dict[str, Entry] = {}
        self._invariants: list[Callable[..., Any]] = []
        self._expressions = {name: _compile(name, text) for name, text in expressions.items()}
        values = [value for module in self._modules for value in vars(module).values() if callable(value)]
        for value in {id(value): value for value in values}.values():  # a function may be imported by name too
            mark = getattr(value, TOOL_MARK, None)
            if isinstance(mark, ToolMark):
                self._add(value, mark)
            elif getattr(value, INVARIANT_MARK, False) is True:
                self._invariants.append(value)
        if not self.tools:
            raise LoadError("there is no tool in it", hint="mark functions with @tool")

    def get(self, name: str) -> Any:
        """What any of the modules calls by that name, or None."""
        return next((found for module in self._modules if (found := getattr(module, name, None)) is not None), None)

    def describe(self) -> list[Json]:
        return [
            {
                "name": name,
                "description": entry.signature.description,
                "parameters": entry.signature.parameters,
                "writes": entry.writes,
            }
            for name, entry in self.tools.items()
        ]

    def violations(self, state: Json) -> list[str]:
        found = []
        for function in self._invariants:
            name = _name(function).replace("_", " ")
            found += [f"{name}: {said}" if said else name for said in _sayings(function(state))]
        for name, code in self._expressions.items():
            if not eval(code, dict(state)):  # noqa: S307  the user's own, in the worker, like tools.py
                found.append(name)
        return found

    def _add(self, function: Callable[..., Any], mark: ToolMark) -> None:
        name = mark.name or _name(function)
        line = getattr(getattr(inspect.unwrap(function), "__code__", None), "co_firstlineno", 0)
        if not TOOL_NAME.fullmatch(name):
            raise LoadError(f"{name!r} cannot name a tool: at most 64 letters, digits, '_' and '-'", line)
        if name in self.tools:
            raise LoadError(f"two tools are named {name!r}", line, "rename one")
        try:
            self.tools[name] = Entry(function, Signature(function, name), mark.writes)
        except SignatureError as error:
            raise LoadError(str(error), line) from error


def _sayings(said: Any) -> Iterable[str]:
    if said is None or said is True:
        return []
    if said is False:
        return [""]
    if isinstance(said, str):
        return [said]
    return ["" if one is False else str(one) for one in said if one is not None and one is not True]


def _name(function: Callable[..., Any]) -> str:
    """Its own, or its class's: an object that can be called has none."""
    return getattr(function, "__name__", type(function).__name__)


def _import(path: Path) -> ModuleType:
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise LoadError("it is no Python file", hint="its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module  # types in annotations are looked up there
    try:
        _refuse_shadowed(ast.parse(path.read_bytes(), str(path)))
        spec.loader.exec_module(module)
    except LoadError:
        raise
    except SyntaxError as error:
        raise LoadError(f"it is not valid Python: {error.msg}", error.lineno or 0) from error
    except MemoryError as error:
        raise LoadError("importing it used more memory than its limit") from error
    except BaseException as error:
        # The user's module runs here and may raise anything, SystemExit included.
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        raise LoadError(f"it does not import: {type(error).__name__}: {error}", (lines or [0])[-1] or 0) from error
    return module


def _beside(path: Path) -> list[ModuleType]:
    """The modules in the same folder that have been imported, by name."""
    found = {
        name: module
        for name, module in sys.modules.items()
        if name != _MODULE and Path(getattr(module, "__file__", None) or "/").parent == path.parent
    }
    return [found[name] for name in sorted(found)]


def _refuse_shadowed(tree: ast.Module) -> None:
    """Python lets a second function of a name replace the first without a word."""
    seen: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_marked(node):
            line = node.decorator_list[0].lineno
            if node.name in seen:
                message = f"two functions are named {node.name!r}: the first is on line {seen[node.name]}"
                raise LoadError(message, line, "rename one")
            seen[node.name] = line


def _is_marked(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    texts = [
        ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
        for decorator in node.decorator_list
    ]
    return any(text.rpartition(".")[2] in {"tool", "invariant"} for text in texts)


def _compile(name: str, text: str) -> CodeType:
    try:
        return compile(text, f"<invariant {name}>", "eval")
    except SyntaxError as error:
        raise LoadError(f"the invariant {name!r} is not a Python expression: {error.msg}") from error
