"""Examples per second and CPU time per example, one model call each: how much of what is possible a run reaches.

    python -m benchmarks.throughput [--count 10000] [--rounds 3]

A server in a process of its own answers after 50 ms, 128 requests in flight; then the same at 0 ms for the CPU time.
Side by side: the bare loop over aiohttp, the ``openai`` client as it comes and on aiohttp (without its own retries),
synth's caller with a journal in memory, and a whole ``synth.run`` with its store on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import resource
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import orjson
import uvloop

from benchmarks.common import IN_FLIGHT, contend, median, run_synth, serving, show

MODULE = "benchmarks.throughput"
Ask = Callable[[int], Awaitable[None]]


async def in_flight(count: int, ask: Ask) -> None:
    left = iter(range(count))

    async def worker() -> None:
        for number in left:
            await ask(number)

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


def body(number: int) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": f"Rephrase question {number}"}], "max_tokens": 1024}


async def bare(url: str, count: int) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:

        async def ask(number: int) -> None:
            async with session.post(f"{url}/chat/completions", data=orjson.dumps(body(number))) as response:
                answer = orjson.loads(await response.read())
            assert answer["choices"][0]["message"]["content"]

        await in_flight(count, ask)


async def openai_client(url: str, count: int, *, on_aiohttp: bool) -> None:
    from openai import AsyncOpenAI, DefaultAioHttpClient

    http = {"http_client": DefaultAioHttpClient()} if on_aiohttp else {}
    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0, **http) as client:  # type: ignore[arg-type]

        async def ask(number: int) -> None:
            message = {"role": "user", "content": f"Rephrase question {number}"}
            answer = await client.chat.completions.create(model="m", messages=[message], max_tokens=1024)  # type: ignore[list-item]
            assert answer.choices[0].message.content

        await in_flight(count, ask)


async def caller(url: str, count: int) -> None:
    from synth.messages import Message
    from synth.models.client import Request, Sampling
    from synth.models.journaled import JournaledCaller
    from synth.models.open import open_models
    from synth.recipe.models import ModelSpec
    from tests.memory_journal import MemoryJournal

    spec = ModelSpec(provider="openai", base_url=url, model="m", concurrency=IN_FLIGHT)
    async with open_models({"m": spec}, base=Path()) as models:
        made = JournaledCaller(models, MemoryJournal())

        async def ask(number: int) -> None:
            request = Request((Message("user", f"Rephrase question {number}"),), Sampling())
            await made.call("m", request, unit=f"u{number}", key="k")

        await in_flight(count, ask)


CONTENDERS = ("bare aiohttp loop", "AsyncOpenAI", "AsyncOpenAI on aiohttp", "synth, caller only", "synth, whole run")


def measure(name: str, url: str, count: int) -> dict[str, float]:
    if name.startswith("synth"):  # importing is not what is measured
        importlib.import_module("synth.job")
    started, cpu = time.perf_counter(), time.process_time()
    match name:
        case "bare aiohttp loop":
            uvloop.run(bare(url, count))
        case "AsyncOpenAI":
            uvloop.run(openai_client(url, count, on_aiohttp=False))
        case "AsyncOpenAI on aiohttp":
            uvloop.run(openai_client(url, count, on_aiohttp=True))
        case "synth, caller only":
            uvloop.run(caller(url, count))
        case _:
            assert run_synth(url, count)["accepted"] == count
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"per_second": count / seconds, "cpu_ms": 1000 * cpu / count, "peak_mb": peak}


def compare(latency: float, count: int, rounds: int, contenders: tuple[str, ...]) -> None:
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    with serving(latency=latency) as server:
        for _ in range(rounds):  # in turn, so that a busy moment of the machine hits all alike
            for name in contenders:
                runs[name].append(contend(MODULE, name, url=server.url, count=count))
    medians = {name: median(measured) for name, measured in runs.items()}
    floor = medians[contenders[0]]["per_second"]
    rows = [
        [name, f"{m['per_second']:,.0f}", f"{m['per_second'] / floor:.2f}", f"{m['cpu_ms']:.3f}", f"{m['peak_mb']:.0f}"]
        for name, m in medians.items()
    ]
    header = ["", "examples/s", "÷ bare", "CPU ms/example", "peak MB"]
    show(f"{count:,} examples, {IN_FLIGHT} in flight, {latency * 1000:g} ms, medians of {rounds}", header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, nargs="*", default=[0.05, 0.0], help="seconds, one table each")
    parser.add_argument("--only", nargs="*", default=CONTENDERS, help="these contenders; the first is the measure")
    parser.add_argument("--contender", nargs=2, metavar=("NAME", "SETTINGS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        print(json.dumps(measure(given.contender[0], **json.loads(given.contender[1]))))
        return
    for latency in given.latency:
        compare(latency, given.count, given.rounds, tuple(given.only))


if __name__ == "__main__":
    main()
