"""Seconds a token of CorrSynth beside plain sampling in one vLLM server, the two in turn.

    python benchmarks/corrsynth.py --vllm VENV --model FOLDER [--flight 16] [--tokens 24] [--rounds 16]

All requests of a round are sent at once, as one group, and none ends before its tokens are full; a round of each is
left out as warming up.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from statistics import median

import aiohttp

from benchmarks.vllm_server import serving_vllm
from synth.models.corrsynth.member import XARGS, Member


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vllm", type=Path, required=True, help="a virtual environment with vLLM")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--flight", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--log", type=Path, default=Path("/tmp/synth-bench-vllm.log"))
    arguments = parser.parse_args()
    with serving_vllm(arguments.vllm, arguments.model, arguments.log) as url:
        asyncio.run(compare(url, arguments))


async def compare(url: str, arguments: argparse.Namespace) -> None:
    taken: dict[str, list[float]] = {"plain": [], "corrsynth": []}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session:
        for number in range(arguments.rounds + 1):
            for name, seconds in taken.items():
                bodies = [
                    _body(arguments.model.name, arguments.tokens, number, place, arguments.flight, name)
                    for place in range(arguments.flight)
                ]
                started = time.perf_counter()
                await asyncio.gather(*(_send(session, url, body) for body in bodies))
                if number:
                    seconds.append((time.perf_counter() - started) / (arguments.flight * arguments.tokens))
    ratios = [ours / plain for ours, plain in zip(taken["corrsynth"], taken["plain"], strict=True)]
    for name, seconds in taken.items():
        shown = "  ".join(f"{1000 * one:.2f}" for one in seconds)
        print(f"{name:10} median {1000 * median(seconds):.2f} ms/token ({shown})")
    print(f"corrsynth ÷ plain, {arguments.flight} in flight: median of rounds {median(ratios):.3f}", end=" ")
    print(f"({min(ratios):.3f} to {max(ratios):.3f})")


def _body(model: str, count: int, number: int, place: int, size: int, name: str) -> dict[str, object]:
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": "user", "content": f"Tell a short story about animal number {place % 8}."}],
        "temperature": 1.0,
        "top_k": 50,
        "max_tokens": count,
        "ignore_eos": True,
    }
    if name == "corrsynth":
        body[XARGS] = Member(f"g{number}", size, str(place % 8), "hybrid", 1.0, 0.5, 1e-3).to_xargs()
    return body


async def _send(session: aiohttp.ClientSession, url: str, body: dict[str, object]) -> None:
    async with session.post(f"{url}/chat/completions", json=body) as response:
        response.raise_for_status()
        await response.read()


if __name__ == "__main__":
    main()
