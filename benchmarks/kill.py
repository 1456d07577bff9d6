"""What a `kill -9` costs: paid calls that are sent again, and whether the dataset is the undisturbed one.

    python -m benchmarks.kill [--rounds 20] [--kills 1]

Each round is a run of 2,000 examples, one call each, killed at ``--kills`` random moments and resumed until it is
complete. A call is *lost* when the server has received it and the journal does not hold its answer after the kill: it
was in flight. Sent again may be those and no others.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.common import IN_FLIGHT, ROOT, Server, serving, show, write_recipe

COUNT = 2000


def start(recipe: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "synth", "run", str(recipe), "--run-dir", str(recipe.parent / "run"), "--quiet"]
    return subprocess.Popen(command, cwd=ROOT)


def finish(recipe: Path) -> None:
    if start(recipe).wait() != 0:
        raise SystemExit(f"{recipe.parent} did not complete")


def kill_after(recipe: Path, server: Server, requests: int) -> bool:
    """Start or resume the run, and kill it when the server has received so many; False where it ends before."""
    run = start(recipe)
    while server.stats().get("requests", 0) < requests:
        if run.poll() is not None:
            return False
        time.sleep(0.001)
    run.kill()
    run.wait()
    return True


def count_lost(recipe: Path, server: Server) -> int:
    """Requests that the server has received and whose answers the journal does not hold, over the whole run."""
    with closing(sqlite3.connect(recipe.parent / "run" / "run.sqlite")) as store:
        (journaled,) = store.execute("SELECT COUNT(*) FROM calls").fetchone()
    return server.stats()["requests"] - int(journaled)


def hash_dataset(recipe: Path) -> str:
    (dataset,) = (recipe.parent / "run" / "dataset").glob("*.jsonl")
    return hashlib.sha256(dataset.read_bytes()).hexdigest()


def undisturbed(latency: float) -> str:
    with serving(latency=latency, echo=True) as server, tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        recipe = write_recipe(Path(folder), server.url, COUNT)
        finish(recipe)
        return hash_dataset(recipe)


def killed(latency: float, moments: list[int]) -> tuple[int, list[int], str]:
    """Calls sent again; calls lost by each kill; the hash of the dataset."""
    losses: list[int] = []
    with serving(latency=latency, echo=True) as server, tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        recipe = write_recipe(Path(folder), server.url, COUNT)
        for moment in moments:
            # What is sent again is received twice, so that each kill finds the run further on.
            if kill_after(recipe, server, moment + sum(losses)):
                losses.append(count_lost(recipe, server) - sum(losses))
        finish(recipe)
        return server.stats()["requests"] - COUNT, losses, hash_dataset(recipe)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kills", type=int, default=1, help="in each round")
    parser.add_argument("--latency", type=float, default=0.05, help="of the server, in seconds")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    wanted = undisturbed(given.latency)
    rows = []
    sent_again, in_flight, most, same = [], [], 0, 0
    for _ in range(given.rounds):
        moments = sorted(rng.randrange(1, COUNT) for _ in range(given.kills))
        again, losses, found = killed(given.latency, moments)
        sent_again.append(again)
        in_flight.append(sum(losses))
        most = max(most, *losses)
        same += found == wanted
    rows = [
        ["sent again", *(f"{x:g}" for x in (min(sent_again), statistics.median(sent_again), max(sent_again)))],
        ["in flight at the kill", *(f"{x:g}" for x in (min(in_flight), statistics.median(in_flight), max(in_flight)))],
    ]
    title = f"{given.rounds} runs of {COUNT:,} calls, {IN_FLIGHT} in flight, killed {given.kills} times each"
    show(title, ["calls", "least", "median", "most"], rows)
    print(
        f"\nno more sent again than were in flight: {all(a <= b for a, b in zip(sent_again, in_flight, strict=True))}"
    )
    print(f"most in flight at one kill: {most}")
    print(f"datasets identical to the undisturbed run's: {same} of {given.rounds}")


if __name__ == "__main__":
    main()
