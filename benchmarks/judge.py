"""How far a small model can be trusted as a judge: its verdicts on chains of thought that exact answers have graded.

    python benchmarks/judge.py --data gsm8k_seeds.jsonl --work /tmp/judge --judge qwen2.5-coder-0.5b

Once, ``--solver`` writes ``--samples`` chains for each question and exact answers grade them. Of each question that got
both, one right and one wrong chain are kept, so that a hard question makes no chain suspicious. Then the judge reads
each by the rubric ``reasoning`` through ``synth judge``'s own code. Chance has accuracy 0.5 and kappa 0. Answers are
kept in the user's cache: a run that was stopped goes on where it ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from common import show

from synth.agents.context import UnitContext
from synth.events import ignore
from synth.example import WorkUnit
from synth.fingerprint import derive_seed
from synth.generators.answers import same_answer
from synth.generators.base import Setup
from synth.generators.solving import Chain, solve
from synth.messages import Json
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.recipe.kinds.solved import CotSpec
from synth.recipe.models import ModelSpec, SamplingSpec
from synth.rejudge import judge_rows, plan_judging
from synth.store import Store

_AT_ONCE = 8


async def solve_all(questions: list[Json], options: argparse.Namespace) -> list[list[Chain]]:
    store = Store.open(options.work / "chains.sqlite")
    store.prepare_resume()
    spec = ModelSpec(provider="embedded", model=options.solver)
    if options.base_url:
        spec = ModelSpec(provider="openai", model=options.solver, base_url=options.base_url, send_seed=False)
    setup = Setup(CotSpec(kind="cot", count=1), {"solver": spec}, Path())
    sampling = SamplingSpec(temperature=0.8, top_p=0.95, max_tokens=400)
    solver = setup.agent("solver", sampling=sampling, template="cot/solver")
    places = asyncio.Semaphore(_AT_ONCE)
    try:
        async with open_models({"solver": spec}, base=Path()) as models:
            caller = JournaledCaller(models, store)

            async def chains(index: int) -> list[Chain]:
                unit = WorkUnit("judge", "cot", index, 0, None, {}, derive_seed("judge", index))
                visible = {"question": questions[index]["question"]}
                async with places:
                    return await solve(solver, UnitContext(unit, caller), visible, options.samples)

            return await asyncio.gather(*(chains(index) for index in range(len(questions))))
    finally:
        await store.flush()
        store.close()


def write_chains(options: argparse.Namespace) -> None:
    """``chains.jsonl`` with conversations, ``labels.jsonl`` with what exact answers say of them."""
    questions = [json.loads(line) for line in options.data.read_text().splitlines()][: options.questions]
    solved = asyncio.run(solve_all(questions, options))
    rows, labels, pairs = [], [], 0
    for row, chains in zip(questions, solved, strict=True):
        by_side: dict[bool, Chain] = {}
        for chain in chains:
            if chain.answer is not None:  # a chain without an answer needs no judge
                by_side.setdefault(same_answer(chain.answer, row["answer"]), chain)
        if len(by_side) < 2 or pairs == options.pairs:
            continue
        pairs += 1
        for right, chain in sorted(by_side.items()):
            name, said = f"{row['id']}-{'right' if right else 'wrong'}", {"role": "assistant", "content": chain.text}
            rows.append({"id": name, "messages": [{"role": "user", "content": row["question"]}, said]})
            level = "right" if right else "wrong"
            labels.append({"id": name, "mark": "good" if right else "bad", "levels": {"answer": level}})
    print(f"{pairs} of {len(questions)} questions have a right and a wrong chain")
    for path, lines in (("chains.jsonl", rows), ("labels.jsonl", labels)):
        (options.work / path).write_text("".join(json.dumps(line) + "\n" for line in lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="JSONL with id, question and answer")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--judge", action="append", help="a name of `synth models list`, or a .gguf; many times")
    parser.add_argument("--solver", default="qwen2.5-coder-0.5b")
    parser.add_argument("--base-url", help="an endpoint that serves the solver, instead of the embedded one")
    parser.add_argument("--questions", type=int, default=80)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--rubric", default="reasoning")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if not (options.work / "labels.jsonl").exists():
        write_chains(options)
    rows = []
    for judge in options.judge or []:
        judging = plan_judging(options.work / "chains.jsonl", rubric=options.rubric, judges=[judge], least=1.0)
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
