"""How long commands that ask no model take from a new process to their end, and of it the CPU's part: medians of ten.

python benchmarks/startup.py
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 10
RECIPE = Path(__file__).parent.parent / "recipes" / "quickstart.yaml"
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "synth --help": [sys.executable, "-m", "synth", "--help"],
    "synth validate": [sys.executable, "-m", "synth", "validate", str(RECIPE)],
    "synth schema": [sys.executable, "-m", "synth", "schema"],
}


def main() -> None:
    for name, command in COMMANDS.items():
        seconds, busy = [], []
        for _ in range(RUNS + 1):  # the first one fills the file cache
            started, before = time.perf_counter(), _cpu_seconds()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - started)
            busy.append(_cpu_seconds() - before)
        print(f"{name:16} {statistics.median(seconds[1:]):.3f} s, of it CPU {statistics.median(busy[1:]):.3f} s")


def _cpu_seconds() -> float:
    """Of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
