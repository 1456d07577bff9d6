"""How long commands that ask no model take from a cold process to their end: medians of ten.

python benchmarks/startup.py
"""

from __future__ import annotations

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
        seconds = []
        for _ in range(RUNS + 1):  # the first one fills the file cache
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - started)
        print(f"{name:16} {statistics.median(seconds[1:]):.3f} s  (fastest {min(seconds[1:]):.3f} s)")


if __name__ == "__main__":
    main()
