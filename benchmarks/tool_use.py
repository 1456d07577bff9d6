"""Kind ``tool_use``: what becomes of tasks, whether what was kept replays, and what asking is worth.

    python -m benchmarks.tool_use funnel RUN_DIR…    tasks planned → executable → conversations → accepted, and why not
    python -m benchmarks.tool_use replay RUN_DIR…    every accepted conversation again, on a fresh environment
    python -m benchmarks.tool_use agents [--tasks 40]   three scripted agents: asks, never asks, acts before asking

The first two read runs of a real model, such as ``synth run recipes/tool_use.yaml`` leaves; the third needs none.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import orjson

from synth.environments.environment import Environment
from synth.environments.spec import find_environment, load_environment
from synth.environments.world import open_environment
from synth.errors import UsageError
from synth.messages import Json
from synth.reader import AttemptLine, RunReader
from synth.recipe.kinds.tool_use import ToolUseSpec

_NOT_EXECUTABLE = {"blueprint"}
_NO_TASK = {"task", "review"}
_BEFORE_VERIFICATION = {"user", "assistant", "loop", "tool_calls", "max_turns", "schema", "length", "empty", "model"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """``same_results``: every tool answered as it did; ``end_is_target``: the end state is the task's."""

    unit: str
    calls: int
    same_results: bool
    end_is_target: bool


async def replay(run_dir: Path) -> list[Replayed]:
    """Make the calls of every accepted conversation again, in the world of its seed. Raises ``UsageError``."""
    with RunReader(run_dir) as reader:
        written = [spec for spec in reader.lock.recipe["generate"] if spec["kind"] == "tool_use"]
        base = reader.recipe_folder or Path.cwd()
    found: list[Replayed] = []
    for spec in map(ToolUseSpec.model_validate, written):
        place = load_environment(find_environment(spec.environment, base)) if spec.environment is not None else None
        if place is None or place.mode != "python":
            raise UsageError(f"generator {spec.id!r}: only what an environment of mode python did can be done again")
        rows = [orjson.loads(line) for line in (run_dir / "dataset" / f"{spec.id}.jsonl").read_bytes().splitlines()]
        rates = spec.faults.rates() or None  # a lock says nothing of it by zeros: then the environment's own befall
        async with open_environment(place) as world:
            for row in rows:
                offered = world.offering([tool["function"]["name"] for tool in row["tools"]])
                async with offered.start(row["world_seed"], faults=rates) as environment:
                    found.append(await _again(row, environment))
    return found


async def _again(row: Json, environment: Environment) -> Replayed:
    results = {m["tool_call_id"]: m["content"] for m in row["messages"] if m["role"] == "tool"}
    calls = [call for message in row["messages"] for call in message.get("tool_calls") or ()]
    answers = [m["content"] for m in row["messages"] if m["role"] == "tool"]
    assert len(results) <= len(answers) == len(calls), "a call has no result"
    same = True
    for call, answer in zip(calls, answers, strict=True):
        result = await environment.call(call["function"]["name"], call["function"]["arguments"])
        same = same and result.content == answer
    return Replayed(row["id"], len(calls), same, await environment.state_hash() == row["target_state"])


def funnel(run_dir: Path) -> Iterator[str]:
    """The table of one run, in Markdown."""
    with RunReader(run_dir) as reader:
        attempts = list(reader.attempts(newest=1_000_000))
        tokens = [
            sum(call[side] for one in attempts for call in reader.calls(one.unit)) for side in ("input", "output")
        ]
        summary = reader.summary or {}
    gates = Counter(one.gate for one in attempts)
    planned = len(attempts)
    executable = planned - sum(gates[gate] for gate in _NOT_EXECUTABLE)
    told = executable - sum(gates[gate] for gate in _NO_TASK)
    talked = told - sum(gates[gate] for gate in _BEFORE_VERIFICATION)
    accepted = gates.pop(None, 0)
    yield f"| {run_dir.name} | tasks planned {planned} → executable {executable} → told {told} → "
    yield f"conversations {talked} → accepted {accepted} |"
    yield f"| lost to | {', '.join(f'{gate} {count}' for gate, count in gates.most_common()) or 'nothing'} |"
    if accepted:
        minutes = summary.get("seconds", 0) / 60
        yield f"| for one accepted | {minutes / accepted:.2f} minutes, {tokens[0] / accepted:,.0f} tokens in, "
        yield f"{tokens[1] / accepted:,.0f} out |"


def contend(style: str, tasks: int) -> Json:
    """What a scripted agent earns over ``tasks`` tasks in ``retail``."""
    from synth import load_recipe, run
    from tests.desk import Desk
    from tests.servers import ChatServer

    with tempfile.TemporaryDirectory() as folder, ChatServer(answer=Desk(style).answer) as server:  # type: ignore[arg-type]
        teacher = {"provider": "openai", "base_url": server.url, "model": "m", "concurrency": 32}
        kind: dict[str, Any] = {"kind": "tool_use", "count": tasks, "environment": "retail", "max_turns": 20}
        recipe = {"name": "agents", "models": {"m": teacher}, "generate": [kind], "diversity": "off"}
        path = Path(folder) / "recipe.json"
        path.write_bytes(orjson.dumps(recipe | {"budget": {"attempts": 1}}))
        run(load_recipe(path), run_dir=Path(folder) / "run")
        with RunReader(Path(folder) / "run") as reader:
            attempts = list(reader.attempts(newest=tasks))
    gates = Counter(one.gate for one in attempts)
    rewards = [_reward(one) for one in attempts]
    return {
        "style": style,
        "tasks": len(attempts),
        "accepted": gates.pop(None, 0),
        "reward": mean(rewards),
        "lost": gates,
    }


def _reward(attempt: AttemptLine) -> float:
    """A conversation that acted on what nobody had told it has a reward, though too low a one."""
    if attempt.gate is None:
        return float(attempt.row["scores"]["reward"])
    told = re.search(r"\(reward ([\d.]+)\)", attempt.row["reason"])
    return float(told[1]) if told else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("funnel", "replay"):
        commands.add_parser(name).add_argument("runs", type=Path, nargs="+")
    commands.add_parser("agents").add_argument("--tasks", type=int, default=40)
    options = parser.parse_args()
    if options.command == "agents":
        print("| agent | tasks | accepted | mean reward | lost to |\n|---|---|---|---|---|")
        for style in ("asks", "acts first", "never asks"):
            got = contend(style, options.tasks)
            lost = ", ".join(f"{gate} {count}" for gate, count in got["lost"].most_common()) or "nothing"
            print(f"| {style} | {got['tasks']} | {got['accepted']} | {got['reward']:.2f} | {lost} |")
    for run_dir in getattr(options, "runs", ()):
        if options.command == "funnel":
            print("\n".join(funnel(run_dir)))
            continue
        found = asyncio.run(replay(run_dir))
        same, end = sum(one.same_results for one in found), sum(one.end_is_target for one in found)
        calls = sum(one.calls for one in found)
        print(f"{run_dir.name}: {len(found)} conversations, {calls} calls; same results {same}, end state {end}")


if __name__ == "__main__":
    main()
