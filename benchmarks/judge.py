"""How far a small model can be trusted as a judge: its verdicts on chains of thought that exact answers have graded.

    python -m benchmarks.judge --chains ENSEMBLE_WORK/chains.jsonl --work /tmp/judge --judge qwen2.5-coder-0.5b

``benchmarks/ensemble.py`` leaves the chains. Of each question that got both, one right and one wrong chain are judged,
so that a hard question makes no chain suspicious. The judge reads each by the rubric ``reasoning`` through
``synth judge``'s own code. Chance has accuracy 0.5 and kappa 0. Answers are kept in the user's cache: a run that was
stopped goes on where it ended.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from benchmarks.common import show
from synth.events import ignore
from synth.recipe.models import ModelSpec
from synth.rejudge import judge_rows, plan_judging


def write_pairs(chains: Path, work: Path, most: int) -> None:
    """``chains.jsonl`` with conversations, ``labels.jsonl`` with what exact answers say of them."""
    questions = [json.loads(line) for line in chains.read_text().splitlines()]
    rows, labels, pairs = [], [], 0
    for number, asked in enumerate(questions):
        by_side = {chain["right"]: chain["text"] for chain in reversed(asked["chains"])}
        if len(by_side) < 2 or pairs == most:
            continue
        pairs += 1
        for right, text in sorted(by_side.items()):
            level = "right" if right else "wrong"
            said = [{"role": "user", "content": asked["question"]}, {"role": "assistant", "content": text}]
            rows.append({"id": f"{number}-{level}", "messages": said})
            labels.append({"id": f"{number}-{level}", "mark": "good" if right else "bad", "levels": {"answer": level}})
    print(f"{pairs} of {len(questions)} questions have a right and a wrong chain")
    work.mkdir(parents=True, exist_ok=True)
    for path, lines in (("chains.jsonl", rows), ("labels.jsonl", labels)):
        (work / path).write_text("".join(json.dumps(line) + "\n" for line in lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chains", type=Path, required=True, help="chains.jsonl of an ensemble's work folder")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument(
        "--judge", action="append", help="a name of `synth models list`, or a .gguf; with --base-url its name there"
    )
    parser.add_argument("--base-url", help="an OpenAI-compatible endpoint, instead of the embedded model")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--rubric", default="reasoning")
    options = parser.parse_args()
    write_pairs(options.chains, options.work, options.pairs)
    rows = []
    for judge in options.judge or []:
        own = [judge] if options.base_url is None else []
        judging = plan_judging(options.work / "chains.jsonl", rubric=options.rubric, judges=own, least=1.0)
        if options.base_url is not None:
            there = ModelSpec(
                provider="openai", model=judge, base_url=options.base_url, timeout=900, send_seed=False, concurrency=64
            )
            judging = replace(judging, models={judge: there})
        found = judge_rows(
            options.work / "chains.jsonl",
            judging,
            against=options.work / "labels.jsonl",
            limit=2 * options.pairs,
            listener=ignore,
        )
        (options.work / f"{Path(judge).stem}-{Path(options.rubric).stem}.json").write_text(json.dumps(found, indent=1))
        (answer,) = found["against"]["criteria"]["answer"]
        for what, one in (("the final answer is right", answer), ("all is right", found["against"]["marks"]["panel"])):
            kappa = "undefined" if one["kappa"] is None else f"{one['kappa']:.2f}"
            rows.append((judge, what, str(one["items"]), str(one["none"]), f"{one['accuracy']:.2f}", kappa))
        for warning in found["warnings"]:
            print(f"{judge}: {warning}")
    if rows:
        show("Judges against exact answers", ("judge", "says that", "chains", "unread", "accuracy", "kappa"), rows)


if __name__ == "__main__":
    main()
