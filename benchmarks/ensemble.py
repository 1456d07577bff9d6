"""What the chain-of-thought ensemble accepts, graded with answers that it never sees.

    python benchmarks/ensemble.py --data gsm8k_seeds.jsonl --questions 60 --work /tmp/ensemble-0.5b

Every answer is journaled in the work folder, so a run that was stopped goes on where it ended. For each question: one
greedy chain, ``--samples`` sampled chains and ``--programs`` programs. Then every rule for accepting an answer is
graded on the same material: coverage is the share of questions it answers, precision the share of those it gets right.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Seed, WorkUnit
from synth.fingerprint import derive_seed
from synth.generators.answers import normalize_answer, same_answer
from synth.generators.base import Setup
from synth.generators.ensemble import Ensemble
from synth.generators.evidence import Candidate, Evidence
from synth.generators.solving import Chain, best_chain, fault_of, solve
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.prompts import load_template
from synth.recipe.ensemble import EnsembleSpec, SolverSpec
from synth.recipe.kinds.solved import CotSpec
from synth.recipe.models import ModelSpec, SamplingSpec
from synth.store import Store

_AT_ONCE = 3
"""Questions in the making: each asks for several answers at once."""


@dataclass(frozen=True, slots=True)
class Case:
    question: str
    gold: str
    greedy: Chain
    evidence: Evidence
    tokens: int
    one_chain_tokens: int


Rule = Callable[[Evidence], str | None]
"""The answer that a rule accepts for a question, or None."""


async def collect(options: argparse.Namespace) -> list[Case]:
    seeds = [json.loads(line) for line in options.data.read_text().splitlines()][: options.questions]
    options.work.mkdir(parents=True, exist_ok=True)
    store = Store.open(options.work / "run.sqlite")
    store.prepare_resume()
    spec = ModelSpec(provider="embedded", model=options.model)
    if options.base_url:
        spec = ModelSpec(provider="openai", model=options.model or "m", base_url=options.base_url)
    solvers = [SolverSpec(model="model", prompt=str(options.solver_prompt))] if options.solver_prompt else []
    ensemble_spec = EnsembleSpec(samples=options.samples, programs=options.programs, solvers=solvers)
    setup = Setup(CotSpec(kind="cot", count=1, ensemble=ensemble_spec), {"model": spec}, Path())
    ensemble = Ensemble(setup, ensemble_spec)
    sampling = SamplingSpec(temperature=0, max_tokens=512)
    greedy = setup.agent("solver", sampling=sampling, template="cot/solver")
    if options.solver_prompt:
        prompt = load_template(options.solver_prompt, "solver")
        greedy = setup.agent_from(None, "solver", prompt, sampling=sampling)
    places, started, done = asyncio.Semaphore(_AT_ONCE), time.monotonic(), 0
    try:
        async with open_models({"model": spec}, base=Path(), run_dir=options.work) as models:
            caller = JournaledCaller(models, store)

            async def case(index: int) -> Case:
                nonlocal done
                row = seeds[index]
                unit = WorkUnit("bench", "cot", index, 0, Seed(row["id"], {}), {}, derive_seed("bench", index))
                context = UnitContext(unit, caller)
                visible = {"question": row["question"]}
                async with places:
                    first = await solve(greedy, context, visible, 1, first_sample=1000)
                    alone = context.lineage().usage.total
                    evidence = await ensemble.gather(context, row["question"], programs=True)
                done += 1
                print(f"{done}/{len(seeds)} questions, {time.monotonic() - started:.0f} s", flush=True)
                usage = context.lineage().usage.total
                return Case(row["question"], row["answer"], first[0], evidence, usage - alone, alone)

            return await asyncio.gather(*(case(index) for index in range(len(seeds))))
    finally:
        await store.flush()
        store.close()


def by_vote(share: float) -> Rule:
    """The chains alone: the answer of most of them, with at least ``share`` of all."""

    def rule(evidence: Evidence) -> str | None:
        return _best(Evidence(evidence.chains), share)

    return rule


def by_program(share: float) -> Rule:
    """As the ensemble decides: the mean of both shares, and at least one chain and one program."""

    def rule(evidence: Evidence) -> str | None:
        winner = evidence.winner()
        if winner is None or not winner.chains or not winner.programs or evidence.support(winner) < share:
            return None
        return winner.answer

    return rule


def pooled(share: float) -> Rule:
    """The same without asking for both kinds: the best supported answer."""

    def rule(evidence: Evidence) -> str | None:
        return _best(evidence, share)

    return rule


def with_sound_chain(inner: Rule, question: str) -> Rule:
    """Only answers that a chain with sound arithmetic reaches: what would really go into the dataset."""

    def rule(evidence: Evidence) -> str | None:
        answer = inner(evidence)
        try:
            if answer is not None:
                best_chain(list(evidence.chains), question, answer)
        except (Rejected, IndexError):
            return None
        return answer

    return rule


def _best(evidence: Evidence, share: float) -> str | None:
    winner: Candidate | None = evidence.winner()
    return winner.answer if winner is not None and evidence.support(winner) >= share else None


def grade(cases: list[Case], rule: Rule, *, sound: bool = False) -> tuple[int, int]:
    """How many questions the rule answers, and how many of them rightly."""
    answers = [(with_sound_chain(rule, case.question) if sound else rule)(case.evidence) for case in cases]
    given = [(answer, case.gold) for answer, case in zip(answers, cases, strict=True) if answer is not None]
    return len(given), sum(same_answer(answer, gold) for answer, gold in given)


def table(cases: list[Case]) -> list[tuple[str, int, int]]:
    total = len(cases)
    rows = [("one greedy chain", total, sum(_right(case.greedy, case.gold) for case in cases))]
    sampled = [(chain, case.gold) for case in cases for chain in case.evidence.chains]
    rows.append(("one sampled chain (all of them)", len(sampled), sum(_right(chain, gold) for chain, gold in sampled)))
    sound = [
        (c, case.gold) for case in cases for c in case.evidence.chains if c.answer and not fault_of(case.question, c)
    ]
    rows.append(("one sampled chain, sound arithmetic", len(sound), sum(_right(chain, gold) for chain, gold in sound)))
    runs = [(run, case.gold) for case in cases for run in case.evidence.programs]
    right = sum(run.answer is not None and same_answer(run.answer, gold) for run, gold in runs)
    rows.append(("one program", len(runs), right))
    rows.append(("majority of the chains", *grade(cases, by_vote(0.0))))
    for name, make in (("vote", by_vote), ("chains + programs", pooled), ("vote + program", by_program)):
        for share in (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0):
            rows.append((f"{name} >= {share}", *grade(cases, make(share))))
            rows.append((f"{name} >= {share}, sound chain", *grade(cases, make(share), sound=True)))
    return rows


def _right(chain: Chain, gold: str) -> bool:
    return chain.answer is not None and normalize_answer(chain.answer) == normalize_answer(gold)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="JSONL with id, question and answer")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument(
        "--model", help="a name of `synth models list`, or a .gguf file; with --base-url its name there"
    )
    parser.add_argument("--base-url")
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--programs", type=int, default=3)
    parser.add_argument("--solver-prompt", type=Path, help="a template for the solver instead of the shipped one")
    options = parser.parse_args()
    cases = asyncio.run(collect(options))
    lines = ["| rule | answered | right | coverage | precision |", "|---|---|---|---|---|"]
    for name, answered, right in table(cases):
        of = answered / len(cases) if answered <= len(cases) else 1.0
        lines.append(f"| {name} | {answered} | {right} | {of:.2f} | {right / answered if answered else 0:.2f} |")
    lines.append(
        f"\ntokens: {sum(c.tokens for c in cases)} ensemble, {sum(c.one_chain_tokens for c in cases)} one chain"
    )
    report = "\n".join(lines)
    (options.work / "table.md").write_text(report + "\n")
    print(report)


if __name__ == "__main__":
    main()
