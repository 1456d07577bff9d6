"""An environment as its author wrote it: a folder with an ``env.yaml``, checked, with nothing run yet.

::

    name: library
    description: The lending desk of a public library.
    mode: python              # python: tools.py | mock: tools.yaml, a model answers | live: an MCP server
    state: make_state         # a function of tools.py, or a JSON file; without it the state starts empty
    policy: policy.md         # what the agent may and may not do; goes into its system prompt
    invariants:               # further ones beside the functions marked @invariant
      nobody has more than five books: "all(len(m['loans']) <= 5 for m in members.values())"
    faults: {timeout: 0.05, not_found: 0.02}
    limits: {seconds: 5, memory_mb: 512}
    server: {command: [python, server.py]}      # live: or {url: http://127.0.0.1:8000/mcp}
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from synth.environments.declaration import read_declaration, read_text
from synth.environments.vocabulary import ToolSpec
from synth.errors import Problem, UsageError
from synth.fingerprint import sha256_file
from synth.recipe.environment_folder import environment_folder, known_environments
from synth.recipe.faults import FaultRates, FaultsSpec
from synth.recipe.problems import Problems, did_you_mean

MAX_STATE_FILE = 16 << 20

Mode = Literal["python", "mock", "live"]
_TOOLS_FILE: dict[Mode, str | None] = {"python": "tools.py", "mock": "tools.yaml", "live": None}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class LimitsSpec(_Part):
    seconds: float = Field(5, gt=0, le=600)
    """Wall-clock time of one call."""
    memory_mb: int = Field(512, ge=64, le=65_536)
    """Memory for the worker process, in MiB beyond what Python itself takes."""


class ServerSpec(_Part):
    """An MCP server: a command that speaks over stdio, or the URL of one that speaks streamable HTTP."""

    command: list[str] = []
    """The program and its arguments; relative paths count from the environment's folder."""
    env: dict[str, str] = {}
    """Further environment variables of the program."""
    url: str | None = Field(None, pattern=r"^https?://.")
    headers: dict[str, str] = {}
    """Of every request; treated as secrets."""

    @model_validator(mode="after")
    def _is_one_of_two(self) -> ServerSpec:
        if bool(self.command) == (self.url is not None):
            raise ValueError("give either command or url")
        return self


class EnvironmentFile(_Part):
    """``env.yaml``."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)
    description: str = Field(min_length=1)
    """One or two sentences: what this place is. Planners and mock tools read it."""
    mode: Mode = "python"
    tools: str | None = None
    """Default: `tools.py`, or `tools.yaml` with mode mock."""
    state: str | None = None
    """A function of tools.py that takes a `random.Random` and returns the state, or the path of a JSON file."""
    policy: str | None = None
    """A Markdown file: what the agent may and may not do."""
    invariants: dict[str, str] = {}
    """Name: a Python expression over the state's top-level keys that is true in every good state."""
    faults: FaultsSpec = FaultsSpec()
    limits: LimitsSpec = LimitsSpec()
    server: ServerSpec | None = None
    """Mode live: the MCP server."""


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """A checked environment. ``state`` is a file, the name of a function in the tools file, or None.

    ``declared`` are the tools of a ``tools.yaml``; ``policy`` is the policy's text; ``fingerprint`` covers every file
    of the environment.
    """

    folder: Path
    name: str
    description: str
    mode: Mode
    tools: Path | None
    declared: tuple[ToolSpec, ...]
    state: Path | str | None
    policy: str
    invariants: Mapping[str, str]
    faults: FaultRates
    limits: LimitsSpec
    server: ServerSpec | None
    fingerprint: str


def find_environment(reference: str, base: Path) -> Path:
    """The folder that a recipe in ``base`` means: a path, or the name of one in ``envs/`` there or shipped.

    Raises ``UsageError`` when there is none.
    """
    found = environment_folder(reference, base)
    if found is not None:
        return found
    if (base / reference).is_dir():
        raise UsageError(f"{base / reference} has no env.yaml", hint="an environment is a folder with an env.yaml")
    hint = did_you_mean(reference, known_environments(base), "a path, or one of")
    raise UsageError(f"there is no environment {reference!r}", hint=hint)


def load_environment(folder: Path) -> EnvironmentSpec:
    """The environment in ``folder``. Raises ``RecipeError`` with everything that is wrong with its files."""
    folder = folder.resolve()
    path = folder / "env.yaml"
    written, problems = read_declaration(path, EnvironmentFile)

    def named(key: str, value: str) -> Path:
        if not (folder / value).is_file():
            problems.at((key,), f"there is no file {value!r} in {folder}", f"write it, or mend {key!r}")
        return folder / value

    tools_name = written.tools or _TOOLS_FILE[written.mode]
    tools = named("tools", tools_name) if tools_name is not None else None
    policy = named("policy", written.policy) if written.policy is not None else None
    state: Path | str | None = written.state
    if written.state is not None and not written.state.isidentifier():
        state = named("state", written.state)
        if state.is_file():
            _check_state(state, problems)
    for key in ("state", "invariants"):
        if written.mode != "python" and getattr(written, key):
            problems.at_key((key,), f"mode {written.mode} has no {key}: only code could keep to it", "remove it")
    if written.mode == "live" and written.server is None:
        problems.at(("mode",), "mode live needs 'server'", "server: {command: [program, argument]} or {url: http://…}")
    if written.mode != "live" and written.server is not None:
        problems.at_key(("server",), f"mode {written.mode} uses no server", "remove it, or set mode: live")
    problems.raise_if_any()
    named_files = [path, tools, policy, state if isinstance(state, Path) else None]
    declared: tuple[ToolSpec, ...] = ()
    if written.mode == "mock" and tools is not None:
        from synth.environments.tools_file import load_tools

        declared = load_tools(tools)
    return EnvironmentSpec(
        folder=folder,
        name=written.name,
        description=written.description.strip(),
        mode=written.mode,
        tools=tools,
        declared=declared,
        state=state,
        policy=read_text(policy).strip() if policy is not None else "",
        invariants=written.invariants,
        faults=written.faults.rates(),
        limits=written.limits,
        server=written.server,
        fingerprint=_fingerprint(folder, written.mode, named_files),
    )


def _check_state(path: Path, problems: Problems) -> None:
    size = path.stat().st_size
    if size > MAX_STATE_FILE:
        message = f"{path.name} has {size / (1 << 20):,.0f} MiB; a state may have {MAX_STATE_FILE >> 20} MiB at most"
        problems.at(("state",), message, "every conversation holds its own copy: keep what a conversation needs")
        return
    try:
        made = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        problems.add(Problem(str(path), error.lineno, error.colno, f"it is not JSON: {error.msg}"))
        return
    if not isinstance(made, dict):
        problems.add(Problem(str(path), 1, 1, "the state must be a JSON object", 'such as {"orders": {…}}'))


def _fingerprint(folder: Path, mode: Mode, named: list[Path | None]) -> str:
    """Over the names and bytes of the named files and, as tools.py may import or read them, of all in the folder but
    hidden ones and bytecode. A server's folder may hold what it writes: there only its modules count."""
    beside = folder.rglob("*") if mode == "python" else folder.glob("*.py")
    paths = {path for path in named if path is not None} | {path for path in beside if _counts(path, folder)}
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(paths):
        digest.update(f"{Path(os.path.relpath(path, folder)).as_posix()}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()


def _counts(path: Path, folder: Path) -> bool:
    inside = path.relative_to(folder).parts
    return path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in inside)
