"""What the engine costs without a model: whole runs of kind ``tool_use``, and the parts of an environment.

    python -m benchmarks.environments [--count 500] [--rounds 3] [--profile]

A scripted cast in this process plays planner, user and assistant over ``retail``: ten answers of the assistant and six
tool calls a conversation. A whole ``synth.run`` does everything that a real one does: tasks that are drawn and carried
out before anyone talks, the tools in their worker process, replay on a fresh environment, the journal on disk. What a
conversation costs without the making of its task is the difference between runs with one and with eight conversations a
task. CPU time counts this process and the worker, so its reciprocal is what one core can do.
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

MANY = 8
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


def whole_run(spec: EnvironmentSpec, count: int, solutions: int = 1) -> dict[str, float]:
    """A run of ``count`` tasks with so many conversations each, one of each accepted."""
    from synth import load_recipe, run

    cast = Cast(READS)

    @asynccontextmanager
    async def opened(*_: Any, **__: Any) -> AsyncIterator[dict[str, Model]]:
        limiter = Limiter("the cast", 64)
        yield {"m": Model("m", "cast", "", cast, limiter, None, 60.0)}

    with tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        generator = {
            "kind": "tool_use",
            "environment": str(spec.folder),
            "count": count,
            "solutions": solutions,
        }
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
    return measured


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--environment", default="retail")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="where this process spends its time, instead")
    given = parser.parse_args()
    spec = load_environment(find_environment(given.environment, Path.cwd()))
    whole_run(spec, 10)  # what is imported late is not what is measured
    if given.profile:
        with cProfile.Profile() as profile:
            whole_run(spec, given.count)
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        return
    few = max(1, given.count // 4)
    sizes = {"few": (few, 1), "tasks": (given.count, 1), "talks": (few, MANY)}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in sizes}
    for _ in range(given.rounds):  # in turn, so that a busy moment of the machine hits all
        for name, (tasks, solutions) in sizes.items():
            runs[name].append(whole_run(spec, tasks, solutions))
    took = {name: median(measured) for name, measured in runs.items()}
    # Differences, so that what a run costs whatever its size does not count.
    whole = {key: (took["tasks"][key] - took["few"][key]) / (given.count - few) for key in ("seconds", "cpu")}
    alone = {key: (took["talks"][key] - took["few"][key]) / (few * (MANY - 1)) for key in whole}
    one = took["tasks"]
    header = ["", "CPU ms", "a second of one core", "a second by the clock"]
    rows = [
        [name, f"{1000 * cost['cpu']:.2f}", f"{1 / cost['cpu']:.0f}", f"{1 / cost['seconds']:.0f}"]
        for name, cost in (("a conversation and its task", whole), ("a conversation alone", alone))
    ]
    title = f"synth.run over {spec.name}: {one['turns']:.1f} turns, {one['calls']:.1f} calls, medians of {given.rounds}"
    show(f"{title} (load {psutil.getloadavg()[0]:.1f})", header, rows)
    timed = asyncio.run(parts(spec, 200))
    show("one after the other, in a worker process", ["", "µs"], [[name, f"{took:.0f}"] for name, took in timed])


if __name__ == "__main__":
    main()
