"""What a run makes of a server that fails: time against what is possible, and how often it is told to slow down.

    python -m benchmarks.faults [--rounds 3]

First 1,000 examples under mixed faults (10 % 429 with Retry-After 1 s, 5 % 500, 1 % hung, 1 % dropped, 10 % malformed
JSON), beside a bare loop over aiohttp that retries. Then 1,500 examples from servers that have a limit and do not say
which: 150 requests a second, or 32 at once at 200 ms, each in several kinds. Nothing is configured for them.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import random
import time
from typing import Any

import aiohttp
import orjson
import uvloop

from benchmarks.common import IN_FLIGHT, Server, contend, median, run_synth, serving, show

MODULE = "benchmarks.faults"
TIMEOUT = 5.0
MIXED = {
    "latency": 0.05,
    "busy": 0.10,
    "retry_after": "1",
    "server_error": 0.05,
    "hang": 0.01,
    "drop": 0.01,
    "malformed": 0.10,
    "seed": 7,
}
# name: (server, examples, the least seconds possible)
LIMITED: dict[str, tuple[dict[str, Any], int, float]] = {
    "150 a second, bucket of 15": ({"rate": 150, "burst": 15, "latency": 0.05}, 1500, 9.9),
    "150 a second, bucket of 150": ({"rate": 150, "burst": 150, "latency": 0.05}, 1500, 9.0),
    "150 a second, bucket of 15, Retry-After 1": (
        {"rate": 150, "burst": 15, "latency": 0.05, "retry_after": "1"},
        1500,
        9.9,
    ),
    "150 in each second of the clock": ({"per_second": 150, "latency": 0.05}, 1500, 9.0),
    "32 at once at 200 ms": ({"places": 32, "latency": 0.2}, 1500, 1500 / 32 * 0.2),
    "32 at once at about 200 ms": ({"places": 32, "latency": 0.2, "jitter": 0.5}, 1500, 1500 / 32 * 0.2),
    "32 at once at 200 ms, Retry-After 1": (
        {"places": 32, "latency": 0.2, "retry_after": "1"},
        1500,
        1500 / 32 * 0.2,
    ),
}


async def bare_retrying(url: str, count: int) -> int:
    """What a careful user writes: a timeout, Retry-After obeyed, and full jitter otherwise. How many were answered."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    answered = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT), timeout=timeout) as session:

        async def once(number: int) -> float | None:
            """None when it was answered, else the seconds that the server asks to wait (0: it does not say)."""
            body = {"model": "m", "messages": [{"role": "user", "content": f"Rephrase question {number}"}]}
            async with session.post(f"{url}/chat/completions", data=orjson.dumps(body)) as response:
                if response.status == 429:
                    return float(response.headers.get("Retry-After", 0))
                if response.status != 200:
                    return 0.0
                assert orjson.loads(await response.read())["choices"]
                return None

        async def worker() -> None:
            nonlocal answered
            for number in left:
                for tries in range(10):
                    try:
                        wait = await once(number)
                    except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError):
                        wait = 0.0
                    if wait is None:
                        answered += 1
                        break
                    await asyncio.sleep(wait or random.uniform(0, 0.1 * 2**tries))

        left = iter(range(count))
        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return answered


def measure(name: str, url: str, count: int) -> dict[str, float]:
    importlib.import_module("synth.job")  # importing is not what is measured
    started = time.perf_counter()
    if name == "bare loop that retries":
        answered = uvloop.run(bare_retrying(url, count))
    else:
        answered = run_synth(url, count, timeout=TIMEOUT)["accepted"]
    return {"answered": answered, "seconds": time.perf_counter() - started}


def mixed(rounds: int) -> None:
    names = ("bare loop that retries", "synth, whole run")
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            with serving(**MIXED) as server:
                runs[name].append(contend(MODULE, name, url=server.url, count=1000))
    medians = {name: median(measured) for name, measured in runs.items()}
    floor = medians[names[0]]["seconds"]
    rows = [
        [name, f"{m['answered']:,.0f}", f"{m['seconds']:.2f}", f"{m['seconds'] / floor:.2f}"]
        for name, m in medians.items()
    ]
    show(f"1,000 examples under mixed faults, medians of {rounds}", ["", "examples", "seconds", "÷ bare"], rows)


def limited(rounds: int, only: str) -> None:
    rows = []
    for name, (settings, count, floor) in LIMITED.items():
        if only not in name:
            continue
        runs = []
        for _ in range(rounds):
            with serving(**settings) as server:
                measured = contend(MODULE, "synth, whole run", url=server.url, count=count)
                runs.append(measured | _share_refused(server))
        m = median(runs)
        cells = (f"{m['answered']:,.0f}", f"{floor:.2f}", f"{m['seconds']:.2f}", f"{m['seconds'] / floor:.2f}")
        rows.append([name, *cells, f"{100 * m['refused']:.1f} %"])
    header = ["", "examples", "floor s", "seconds", "÷ floor", "429s"]
    show(f"limits that nobody has told, medians of {rounds}", header, rows)


def _share_refused(server: Server) -> dict[str, float]:
    counts = server.stats()
    return {"refused": counts.get("busy", 0) / counts["requests"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="limited servers whose name holds this text")
    parser.add_argument("--contender", nargs=2, metavar=("NAME", "SETTINGS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        print(json.dumps(measure(given.contender[0], **json.loads(given.contender[1]))))
        return
    if not given.only:
        mixed(given.rounds)
    limited(given.rounds, given.only)


if __name__ == "__main__":
    main()
