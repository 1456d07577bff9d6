"""What a `kill -9` costs in the middle of conversations: calls sent again, and whether the dataset is the same.

    python -m benchmarks.kill_conversations [--count 1000] [--kills 5]

``count`` conversations of kind ``tool_use`` over ``retail``, by a scripted cast behind a local server that answers
after 20 ms. The run is killed at so many moments and resumed each time; conversations then begin anew, and what was
answered comes from the journal. A call is *lost* when the server has received it and the journal does not hold its
answer after the kill: it was in flight. Sent again may be those and no others.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.common import ROOT, show
from benchmarks.environments import READS
from tests.cast import Cast, CountingServer, write_prompts


def write_recipe(folder: Path, url: str, count: int, concurrency: int) -> Path:
    generator = {"kind": "tool_use", "environment": "retail", "count": count, "prompts": write_prompts(folder)}
    model = {"provider": "openai", "model": "m", "base_url": url, "concurrency": concurrency, "send_seed": True}
    recipe = {"name": "bench", "models": {"m": model}, "generate": [generator], "diversity": "off", "gates": []}
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(recipe))
    return path


def start(recipe: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "synth", "run", str(recipe), "--run-dir", str(recipe.parent / "run"), "--quiet"]
    return subprocess.Popen(command, cwd=ROOT)


def finish(recipe: Path) -> None:
    if start(recipe).wait() != 0:
        raise SystemExit(f"{recipe.parent} did not complete")


def kill_after(recipe: Path, server: CountingServer, requests: int) -> int | None:
    """Start or resume the run, and kill it when the server has answered so many; how many calls were lost.

    None where it ends before.
    """
    run = start(recipe)
    while server.received.total() < requests:
        if run.poll() is not None:
            return None
        time.sleep(0.001)
    run.kill()
    run.wait()
    time.sleep(0.2)  # what had arrived is answered by now, to nobody
    with closing(sqlite3.connect(recipe.parent / "run" / "run.sqlite")) as store:
        (journaled,) = store.execute("SELECT COUNT(*) FROM calls").fetchone()
    return len(server.received) - int(journaled)


def dataset(recipe: Path) -> bytes:
    return (recipe.parent / "run" / "dataset" / "tool_use.jsonl").read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="conversations")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args()
    cast = Cast(READS)
    with CountingServer(cast, latency=0.02) as server, tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        recipe = write_recipe(Path(folder), server.url, given.count, given.concurrency)
        lost: list[int] = []
        expected = 14 * given.count  # calls of a whole run, about
        for number in range(1, given.kills + 1):
            found = kill_after(recipe, server, expected * number // (given.kills + 1))
            lost += [] if found is None else [found]
        finish(recipe)
        again, disturbed = server.received.total() - len(server.received), dataset(recipe)
        calls = len(server.received)
    with CountingServer(cast, latency=0.02) as server, tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        recipe = write_recipe(Path(folder), server.url, given.count, given.concurrency)
        finish(recipe)
        same = dataset(recipe) == disturbed
    rows = [
        ["conversations, calls", f"{given.count:,}, {calls:,}"],
        ["kills", str(len(lost))],
        ["calls in flight at the kills", " + ".join(map(str, lost))],
        ["calls sent again", str(again)],
        ["no more than were in flight", str(again <= sum(lost))],
        ["dataset identical to an undisturbed run's", str(same)],
    ]
    show(f"killed at {given.kills} moments, {given.concurrency} requests at once", ["", ""], rows)


if __name__ == "__main__":
    main()
