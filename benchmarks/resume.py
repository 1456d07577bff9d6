"""A run of 100,000 units: the memory it takes, and how long the same command takes to find that it is complete.

    python -m benchmarks.resume [--count 10000 100000] [--rounds 3]

A server in a process of its own answers at once. Seconds and memory are those of the whole command, from the start of
its process to the end, its dataset and card written.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import ROOT, serving, show, write_recipe


def run(recipe: Path) -> tuple[float, float]:
    """Run or resume ``recipe``; seconds, and the peak memory in MB."""
    command = [sys.executable, "-m", "synth", "run", str(recipe), "--run-dir", str(recipe.parent / "run"), "--quiet"]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{recipe.parent} did not complete")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def measure(count: int, rounds: int) -> list[str]:
    with serving() as server, tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        recipe = write_recipe(Path(folder), server.url, count)
        seconds, peak = run(recipe)
        resumed = [run(recipe) for _ in range(rounds)]
    again, again_peak = (statistics.median(values) for values in zip(*resumed, strict=True))
    return [f"{count:,}", f"{seconds:.1f}", f"{peak:.0f}", f"{again:.2f}", f"{again_peak:.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rows = [measure(count, given.rounds) for count in given.count]
    header = ["units", "run s", "peak MB", "resume s", "peak MB"]
    show(f"a whole run, and its command again (medians of {given.rounds})", header, rows)


if __name__ == "__main__":
    main()
