"""What each kind that expands seeds makes of twenty of them: accepted, tokens, and how near it stays to its seed.

    python -m benchmarks.kinds --data gsm8k_seeds.jsonl --work /tmp/kinds --model qwen2.5-coder-0.5b

``--base-url`` names an OpenAI-compatible endpoint instead of the embedded model. The run stays in the work folder, so
the same command goes on where it was ended; ``--read KIND`` prints what was accepted, for a person to judge.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import yaml

from benchmarks.common import show
from synth import load_recipe, run
from synth.diversity.embedders import open_embedder
from synth.messages import Json

KINDS = ("answer", "rephrase", "persona", "backward", "question", "evolve")
ATTEMPTS = 3
PERSONAS = ["a nurse on night shift", "a market gardener", "a bus driver", "a teacher of small children"]


def recipe(options: argparse.Namespace) -> Json:
    model: dict[str, Any] = {"provider": "embedded", "model": options.model, "concurrency": 8}
    if options.base_url:
        model |= {"provider": "openai", "base_url": options.base_url, "concurrency": 110, "send_seed": False}
    generate: list[Json] = [{"kind": kind, "count": options.seeds} for kind in KINDS]
    generate[KINDS.index("persona")]["personas"] = PERSONAS
    return {
        "name": "kinds",
        "seed": 11,
        # Without top_p, which costs a server on a CPU more than the model does.
        "models": {"teacher": model | {"timeout": 900, "sampling": {"top_p": 1}}},
        "seeds": {"path": "seeds.jsonl"},
        "generate": generate,
        "budget": {"attempts": ATTEMPTS, "minutes": options.minutes},
    }


def question_of(row: Json) -> str:
    return next(str(message["content"]) for message in row["messages"] if message["role"] == "user")


async def similarities(pairs: list[tuple[str, str]]) -> list[float]:
    """The cosine of each pair of texts, by MiniLM."""
    embedder = open_embedder("minilm", Path())
    first = np.array(await embedder.embed([one for one, _ in pairs]))
    second = np.array(await embedder.embed([other for _, other in pairs]))
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return [float(value) for value in (first * second).sum(axis=1) / norms]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="JSONL with question and answer")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", required=True, help="a name of `synth models list`; with --base-url its name there")
    parser.add_argument("--base-url", help="an OpenAI-compatible endpoint, instead of the embedded model")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--read", choices=KINDS, help="print the accepted examples of a kind, and measure nothing")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    folder = options.work / "run"
    if options.read:
        for line in (folder / "dataset" / f"{options.read}.jsonl").read_text().splitlines():
            row = json.loads(line)
            print(f"--- {row['id']} from {row['seed_id']}, {row['decided_by']}, support {row['scores'].get('support')}")
            print("\n\n".join(str(message["content"]) for message in row["messages"]))
        return
    lines = options.data.read_text().splitlines()[: options.seeds]
    (options.work / "seeds.jsonl").write_text("\n".join(lines) + "\n")
    (options.work / "recipe.yaml").write_text(yaml.safe_dump(recipe(options), sort_keys=False))
    result = run(load_recipe(options.work / "recipe.yaml"), run_dir=folder)
    print(f"{result.ending.status}: {result.ending.message}")
    seeds = {seed["id"]: seed["question"] for seed in map(json.loads, lines)}
    rows = []
    for kind in KINDS:
        made = [json.loads(line) for line in (folder / "dataset" / f"{kind}.jsonl").read_text().splitlines()]
        counted = result.summary["generators"][kind]
        near = asyncio.run(similarities([(question_of(row), seeds[row["seed_id"]]) for row in made])) if made else []
        rejected = ", ".join(f"{gate} {count}" for gate, count in counted["rejected"].items())
        tokens = sum(counted["tokens"].values()) / max(len(made), 1)
        told = f"{mean(near):.2f}" if near else ""
        rows.append([kind, str(len(made)), str(counted["attempts"]), rejected, f"{tokens:,.0f}", told])
    header = ["kind", "accepted", "attempts", "lost to", "tokens for one", "cosine to its seed"]
    show(f"{options.model}: {options.seeds} seeds", header, rows)


if __name__ == "__main__":
    main()
