"""What the benchmarks share: a server in a process of its own, contenders in theirs, medians, and a table."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
IN_FLIGHT = 128


class Server:
    """A running ``tests.servers``; ``url`` ends in ``/v1``."""

    def __init__(self, url: str) -> None:
        self.url = url

    def stats(self) -> dict[str, int]:
        """What it counted since it was started."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/stats") as response:
            counts: dict[str, int] = json.load(response)
            return counts


@contextmanager
def serving(**settings: Any) -> Iterator[Server]:
    """A fresh server with these faults (see ``tests.servers.Faults``)."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers", json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Server(process.stdout.readline().strip())
    finally:
        process.stdin.close()
        process.wait(30)


def contend(module: str, name: str, **settings: Any) -> dict[str, float]:
    """Run contender ``name`` of a benchmark's module in a process of its own; what it measured."""
    command = [sys.executable, "-m", module, "--contender", name, json.dumps(settings)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    measured: dict[str, float] = json.loads(output.splitlines()[-1])
    return measured


def median(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each measure."""
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    print(f"\n{title}\n")
    for row in (header, ["-" * width for width in widths], *rows):
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("| " + " | ".join(cells) + " |")
    sys.stdout.flush()


def write_recipe(folder: Path, url: str, count: int, *, budget: dict[str, float] | None = None, **model: Any) -> Path:
    """A recipe of ``count`` examples with one call each and nothing that rejects; ``model`` is added to its model."""
    seeds = [
        {"id": str(n), "question": f"How many apples are left of {n} when {n // 2} are eaten?"} for n in range(500)
    ]
    (folder / "seeds.jsonl").write_text("".join(json.dumps(seed) + "\n" for seed in seeds))
    recipe = {
        "name": "bench",
        "models": {"m": {"provider": "openai", "model": "m", "base_url": url, "concurrency": IN_FLIGHT, **model}},
        "seeds": {"path": "seeds.jsonl"},
        "generate": [
            {
                "kind": "custom",
                "count": count,
                "steps": [{"as": "answer", "prompt": "Rephrase ({{ unit.index }}): {{ seed.question }}"}],
                "output": {"messages": [{"role": "assistant", "content": "{{ answer }}"}]},
            }
        ],
        "diversity": "off",
        "budget": budget or {},
    }
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(recipe))
    return path


def run_synth(url: str, count: int, **settings: Any) -> dict[str, Any]:
    """A whole run of such a recipe (see :func:`write_recipe`); its ``summary.json``.

    The run folder is on the disk of the temporary folder, with everything that a run writes.
    """
    from synth import load_recipe, run

    with tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        path = write_recipe(Path(folder), url, count, **settings)
        result = run(load_recipe(path), run_dir=Path(folder) / "run")
        return result.summary
