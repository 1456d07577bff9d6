"""Blueprints: calls that change an environment's state, grounded in that state and carried out before anyone talks.

Proposals are drawn by program: a parameter takes a value that stands in the state under a related key, or one that its
schema lists. What does not go through on a fresh environment is no task. So every task has a solution, with real ids.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from synth.environments.environment import Environment
from synth.environments.vocabulary import ToolSpec
from synth.environments.world import World
from synth.errors import Rejected
from synth.messages import Json

_TRIALS = 20
_DRAWS = 300


@dataclass(frozen=True, slots=True)
class Action:
    """One call of the solution."""

    tool: str
    description: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The actions that solve a task, and the hash of the state that they lead to."""

    actions: tuple[Action, ...]
    start_hash: str
    target_hash: str

    @property
    def facts(self) -> dict[str, str]:
        """What the user has to tell: every argument by its name, as text."""
        return {
            name: text
            for action in self.actions
            for name, value in action.arguments.items()
            if (text := value if isinstance(value, str) else orjson.dumps(value).decode())
        }


async def draw_blueprint(world: World, environment: Environment, rng: random.Random, *, actions: int) -> Blueprint:
    """A solvable task in the state of ``environment``, a fresh one. Raises ``Rejected`` when none is found."""
    start = await environment.state_hash()
    values = _values_by_key(await environment.state())
    writers = [tool for tool in world.tools if tool.writes]
    for _ in range(_TRIALS):
        async with environment.fresh() as trial:
            done = await _draw_actions(trial, writers, values, rng, actions)
            if done is not None:
                return Blueprint(done, start, await trial.state_hash())
    raise Rejected("blueprint", f"no {actions} calls that go through and break no rule were found")


async def _draw_actions(
    trial: Environment, writers: list[ToolSpec], values: Mapping[str, list[Any]], rng: random.Random, count: int
) -> tuple[Action, ...] | None:
    """Calls that go through one after the other; None when they break an invariant, or too few are found."""
    done: list[Action] = []
    for _ in range(_DRAWS):
        tool = rng.choice(writers)
        arguments = _draw_arguments(tool, values, rng)
        if arguments is None:
            continue
        result = await trial.call(tool.name, orjson.dumps(arguments).decode())
        if result.error or not result.wrote:
            continue
        if await trial.violations():
            return None
        done.append(Action(tool.name, tool.tool.description, arguments))
        if len(done) == count:
            return tuple(done)
    return None


def _values_by_key(value: Any, key: str = "") -> dict[str, list[Any]]:
    """Every plain value of the state by the key it stands under; a mapping's keys count under its own name."""
    found: dict[str, list[Any]] = {}
    for name, item in _walk(value, key):
        if item not in found.setdefault(name, []):
            found[name].append(item)
    return found


def _walk(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, dict):
                yield _stem(key), name
            yield from _walk(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, key)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield _stem(key), value


def _stem(name: str) -> str:
    """``order_id``, ``orders`` and ``order_ids`` are about the same thing."""
    stem = re.sub(r"_?(ids?|number|code|name)$", "", name.lower())
    return stem[:-1] if stem.endswith("s") and len(stem) > 3 else stem


def _draw_arguments(tool: ToolSpec, values: Mapping[str, list[Any]], rng: random.Random) -> Json | None:
    schema = tool.tool.parameters
    arguments: Json = {}
    for name, parameter in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        if not required and rng.random() < 0.7:
            continue
        drawn = _draw(name, parameter, schema.get("$defs", {}), values, rng)
        if drawn is None:
            if required:
                return None
            continue
        arguments[name] = drawn
    return arguments


def _draw(name: str, schema: Json, defs: Json, values: Mapping[str, list[Any]], rng: random.Random) -> Any:
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    known = values.get(_stem(name), [])
    match schema.get("type"):
        case "string":
            texts = [value for value in known if isinstance(value, str)]
            return rng.choice(texts) if texts else None
        case "integer":
            low = schema.get("minimum", 1)
            return rng.randint(low, min(schema.get("maximum", low + 3), low + 3))
        case "boolean":
            return rng.random() < 0.5
        case "array":
            item = _draw(name, schema.get("items", {}), defs, values, rng)
            return None if item is None else [item]
    return None
