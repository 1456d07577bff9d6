"""What the engine costs without a model: whole runs of kind ``tool_use``, and the parts of an environment.

    python -m benchmarks.environments [--count 500] [--rounds 3] [--profile]

A scripted cast in this process plays planner, user and assistant over ``retail``: ten answers of the assistant and six
tool calls a conversation. A whole ``synth.run`` does everything that a real one does: tasks that are carried out before
anyone talks, the tools in their worker process, replay on a fresh environment, the journal on disk. CPU time counts
this process and the worker, so its reciprocal is what one core can do.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from benchmarks.common import median, show
from synth.environments.environment import Environment
from synth.environments.spec import EnvironmentSpec, find_environment, load_environment
from synth.environments.world import World, open_environment
from synth.models.limiter import Limiter
from synth.models.model import Model
from tests.cast import Cast, write_prompts

READS = (
    ("search_products", {"text": "lamp"}),
    ("get_order", {"order_id": "order_id"}),
    ("get_customer", {"customer_id": "customer_id"}),
    ("search_products", {"category": "garden"}),
    ("list_orders", {"customer_id": "customer_id"}),
)


@contextmanager
def clock() -> Iterator[dict[str, float]]:
    """Seconds by the clock, and of CPU in this process and in those that it has started and ended since."""
    before, started = os.times(), time.perf_counter()
    measured: dict[str, float] = {}
    yield measured
    after = os.times()
    measured["seconds"] = time.perf_counter() - started
    measured["cpu"] = sum(after[:4]) - sum(before[:4])


def whole_run(spec: EnvironmentSpec, names: list[str], count: int) -> dict[str, float]:
    """A run of ``count`` accepted conversations."""
    from synth import load_recipe, run

    cast = Cast(names, READS, questions=3)

    @asynccontextmanager
    async def opened(*_: Any, **__: Any) -> AsyncIterator[dict[str, Model]]:
        limiter = Limiter("the cast", 64)
        yield {"m": Model("m", "cast", "", cast, limiter, None, 60.0)}

    with tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        generator = {"kind": "tool_use", "environment": str(spec.folder), "count": count}
        recipe = {
            "name": "bench",
            "models": {"m": {"provider": "scripted"}},
            "generate": [generator | {"prompts": write_prompts(Path(folder))}],
            "diversity": "off",
            "gates": [],
        }
        path = Path(folder) / "recipe.yaml"
        path.write_text(json.dumps(recipe))
        loaded = load_recipe(path)
        with patch("synth.job.open_models", opened), clock() as measured:
            result = run(loaded, run_dir=Path(folder) / "run")
        assert result.ending.status == "complete", result.ending
        talks = [row["messages"] for row in result.rows()]
        measured["turns"] = sum(m["role"] == "assistant" for talk in talks for m in talk) / count
        measured["calls"] = sum(m["role"] == "tool" for talk in talks for m in talk) / count
        attempts = result.summary["generators"]["tool_use"]["attempts"]
    return measured | {"attempts": attempts / count}


async def parts(spec: EnvironmentSpec, times: int) -> list[tuple[str, float]]:
    """Microseconds of each thing that a conversation asks of its environment."""
    found: list[tuple[str, float]] = []

    async def measure(name: str, do: Callable[[], Awaitable[object]]) -> None:
        await do()
        started = time.perf_counter()
        for _ in range(times):
            await do()
        found.append((name, 1e6 * (time.perf_counter() - started) / times))

    async with open_environment(spec) as world:

        async def begin_and_end() -> None:
            async with world.start(3) as environment:
                await environment.call("search_products", '{"text": "lamp"}')

        await measure("start, one read, end", begin_and_end)
        async with world.start(3) as environment:
            state = await environment.state()
            await measure("a read", lambda: environment.call("search_products", '{"text": "lamp"}'))
            await measure("a refused call", lambda: environment.call("get_order", '{"order": 1}'))
            await measure("the state's hash", environment.state_hash)
            await measure("the invariants", environment.violations)
        await measure("six calls and their replay", lambda: _conversation(world, state))
    return found


async def _conversation(world: World, state: dict[str, Any]) -> None:
    async with world.start(3) as environment:
        await _six_calls(environment, state)
        assert await environment.replay() == []


async def _six_calls(environment: Environment, state: dict[str, Any]) -> None:
    order = next(order for order in state["orders"].values() if order["status"] == "pending")
    for name, given in READS:
        await environment.call(name, json.dumps({key: order.get(key, value) for key, value in given.items()}))
    arguments = {"order_id": order["order_id"], "reason": "no longer needed"}
    assert (await environment.call("cancel_order", json.dumps(arguments))).wrote


async def tool_names(spec: EnvironmentSpec) -> list[str]:
    async with open_environment(spec) as world:
        return [tool.name for tool in world.tools]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--environment", default="retail")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="where this process spends its time, instead")
    given = parser.parse_args()
    spec = load_environment(find_environment(given.environment, Path.cwd()))
    names = asyncio.run(tool_names(spec))
    whole_run(spec, names, 10)  # what is imported late is not what is measured
    if given.profile:
        with cProfile.Profile() as profile:
            whole_run(spec, names, given.count)
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        return
    runs = [whole_run(spec, names, given.count) for _ in range(given.rounds)]
    middle = median(runs)
    rows = [
        ["conversations/s by the clock", f"{given.count / middle['seconds']:.0f}"],
        ["conversations/s of one core's CPU time", f"{given.count / middle['cpu']:.0f}"],
        ["CPU ms/conversation", f"{1000 * middle['cpu'] / given.count:.2f}"],
        ["assistant's turns, tool calls", f"{middle['turns']:.1f}, {middle['calls']:.1f}"],
        ["attempts/accepted", f"{middle['attempts']:.2f}"],
    ]
    title = f"synth.run, {given.count} accepted over {spec.name}, medians of {given.rounds}"
    show(f"{title} (load {psutil.getloadavg()[0]:.1f})", ["", ""], rows)
    timed = asyncio.run(parts(spec, 200))
    show("one after the other, in a worker process", ["", "µs"], [[name, f"{took:.0f}"] for name, took in timed])


if __name__ == "__main__":
    main()
