"""Is an environment fit for use? Loads it, looks for what breaks its promises, and walks through it at random."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from synth.environments.draw import Pool, draw_call, draw_value
from synth.environments.environment import Environment
from synth.environments.mock import MockRequest, Responder
from synth.environments.spec import EnvironmentSpec
from synth.environments.vocabulary import RecordedCall, ToolSpec
from synth.environments.world import World, open_environment
from synth.errors import EnvironmentFault
from synth.fingerprint import derive_rng
from synth.messages import Json

_STEPS = 25
"""Calls in one conversation of the walk."""
_SEEDS = 16
_MOST_PROBLEMS = 10
_OUTLIVES = "something outlives a conversation, such as a variable of the module; keep it in the state"
_ONLY_RNG = "make_state may use no random numbers but those of rng, no clock and nothing outside"


@dataclass(slots=True)
class ToolCount:
    """What the calls of one tool in the walk came to."""

    calls: int = 0
    succeeded: int = 0
    refused: int = 0
    wrote: int = 0


@dataclass(slots=True)
class Check:
    """``problems`` must be mended; ``notes`` are worth a look. ``refusals`` counts calls that name no tool."""

    name: str
    mode: str
    tools: dict[str, ToolCount] = field(default_factory=dict)
    refusals: int = 0
    conversations: int = 0
    broken_invariants: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return self.refusals + sum(count.calls for count in self.tools.values())

    def to_dict(self) -> Json:
        return {
            "name": self.name,
            "mode": self.mode,
            "ok": not self.problems,
            "problems": self.problems,
            "notes": self.notes,
            "walk": {
                "conversations": self.conversations,
                "calls": self.calls,
                "succeeded": sum(count.succeeded for count in self.tools.values()),
                "refused": self.refusals + sum(count.refused for count in self.tools.values()),
                "wrote": sum(count.wrote for count in self.tools.values()),
                "tools": {
                    name: {
                        "calls": count.calls,
                        "succeeded": count.succeeded,
                        "refused": count.refused,
                        "wrote": count.wrote,
                    }
                    for name, count in self.tools.items()
                },
                "broken_invariants": dict(self.broken_invariants),
            },
        }


async def check_environment(spec: EnvironmentSpec, *, calls: int = 1000, seed: int = 0) -> Check:
    """Check everything that can be checked without a model; ``calls`` random ones are made, in conversations of 25.

    A mock environment is walked with made-up answers; a live server is asked for its tools and not called.
    Raises ``RecipeError`` where the tools file cannot be used.
    """
    check = Check(spec.name, spec.mode)
    async with open_environment(spec) as world:
        check.tools = {tool.name: ToolCount() for tool in world.tools}
        _check_words(world, check)
        if spec.mode == "live":
            check.notes.append("its tools are a real server's: no random walk")
            return check
        try:
            await _check_starts(world, check, spec)
        except EnvironmentFault as fault:
            check.problems.append(f"no conversation can start: {fault.reason}")
            return check
        walks: dict[int, tuple[RecordedCall, ...]] = {}
        for number in range(-(-calls // _STEPS)):
            if len(check.problems) >= _MOST_PROBLEMS:
                break
            walks[seed + number] = await _walk(world, check, seed + number, min(_STEPS, calls - number * _STEPS))
    if spec.mode == "python" and not check.problems:
        await _walk_again(spec, check, walks)
    _sum_up(check)
    return check


def _check_words(world: World, check: Check) -> None:
    for tool in world.tools:
        for name, schema in tool.tool.parameters.get("properties", {}).items():
            if not (isinstance(schema, dict) and (schema.get("description") or schema.get("enum"))):
                check.notes.append(f"{tool.name}: nothing is said of the parameter {name!r}")
    if not world.policy:
        check.notes.append("there is no policy: agents may do whatever the tools let them")


async def _check_starts(world: World, check: Check, spec: EnvironmentSpec) -> None:
    hashes = []
    for seed in range(_SEEDS):
        async with world.start(seed, faults={}, responder=_made_up(seed)) as environment:
            hashes.append(await environment.state_hash())
            for violation in await environment.violations():
                check.problems.append(f"seed {seed}: an invariant does not hold at the start: {violation}")
    if len(set(hashes)) == 1 and isinstance(spec.state, str):
        check.notes.append(f"{spec.state} makes the same state for every seed")
    async with open_environment(spec) as other:  # in another process: nothing is remembered there
        for seed, expected in enumerate(hashes):
            async with other.start(seed, faults={}, responder=_made_up(seed)) as again:
                if await again.state_hash() != expected:
                    check.problems.append(f"seed {seed} makes another state each time: {_ONLY_RNG}")
                    return


async def _walk(world: World, check: Check, seed: int, steps: int) -> tuple[RecordedCall, ...]:
    """One conversation of random calls, then its replay. The calls that were made."""
    rng = derive_rng(seed, "walk")
    check.conversations += 1
    call = ("", "")
    async with world.start(seed, responder=_made_up(seed)) as environment:
        try:
            pool = Pool(await environment.state())
            for step in range(steps):
                if step and step % 8 == 0:
                    pool = Pool(await environment.state())
                call = draw_call(rng, world.tools, pool)
                await _step(environment, check, *call)
            for violation in await environment.violations():
                check.broken_invariants[violation.partition(":")[0]] += 1
            call = ("", "")
            for difference in (await environment.replay())[:1]:
                check.problems.append(f"seed {seed}: the replay is not identical: {difference}")
        except EnvironmentFault as fault:
            where = f"{call[0]} {call[1][:300]}" if call[0] else "after the conversation"
            check.problems.append(f"seed {seed}: {fault.reason}\n    {where}")
        return environment.calls


async def _walk_again(spec: EnvironmentSpec, check: Check, walks: Mapping[int, Sequence[RecordedCall]]) -> None:
    """The same conversations in another process, the last one first: each has others before it than it had."""
    async with open_environment(spec) as other:
        for seed, calls in reversed(list(walks.items())):
            async with other.start(seed) as environment:
                for number, call in enumerate(calls, 1):
                    if not await _is_answered_again(environment, call):
                        told = f"after other conversations, call {number} ({call.name}) gave another result"
                        check.problems.append(f"seed {seed}: {told}: {_OUTLIVES}")
                        return


async def _is_answered_again(environment: Environment, call: RecordedCall) -> bool:
    try:
        return await environment.call(call.name, call.arguments) == call.result
    except EnvironmentFault:
        return False


async def _step(environment: Environment, check: Check, name: str, arguments: str) -> None:
    before = await environment.state_hash()
    result = await environment.call(name, arguments)
    if name not in check.tools:
        check.refusals += 1
        return
    count = check.tools[name]
    count.calls += 1
    count.succeeded += not result.error
    count.refused += result.error
    count.wrote += result.wrote
    if not result.wrote and await environment.state_hash() != before:
        check.problems.append(f"{name} changed the state without saying so: {arguments[:200]}")


def _sum_up(check: Check) -> None:
    never = [name for name, count in check.tools.items() if count.calls and not count.succeeded]
    if never:
        check.notes.append(f"never succeeded in the walk: {', '.join(never)}")
    check.problems = list(dict.fromkeys(check.problems))[:_MOST_PROBLEMS]


def _made_up(seed: int) -> Responder:
    """Answers of a mock tool that satisfy its output schema and mean nothing."""
    rng = Random(seed)

    async def answer(request: MockRequest) -> Any:
        await asyncio.sleep(0)
        return draw_value(rng, request.tool.output or {"type": "string"}, Pool({}), {})

    return answer


def totals(tools: Sequence[ToolSpec]) -> tuple[int, int]:
    """How many tools read, and how many write."""
    writing = sum(tool.writes for tool in tools)
    return len(tools) - writing, writing
