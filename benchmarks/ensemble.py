"""What the chain-of-thought ensemble accepts, graded with answers that it never sees.

    python -m benchmarks.ensemble --data gsm8k_seeds.jsonl --questions 60 --work /tmp/ensemble-0.5b

For each question: one greedy chain, ``--samples`` sampled chains and ``--programs`` programs. Every answer is kept in
the run store of the work folder, so a run that was stopped goes on where it ended, and another rule costs no call.
Coverage is the share of the questions that a rule answers, precision the share of those that it answers rightly. Prints
tables; ``--plot`` draws the curves of this work folder and of those given by ``--beside``. ``judge.py`` reads the
graded chains.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import show
from synth.agents.context import UnitContext
from synth.errors import Rejected, SynthError
from synth.example import Seed, WorkUnit
from synth.fingerprint import derive_seed
from synth.generators.answers import same_answer
from synth.generators.base import Setup
from synth.generators.ensemble import Ensemble
from synth.generators.evidence import Evidence
from synth.generators.solving import Chain, fault_of, solve, sound_chains
from synth.messages import Json
from synth.models.caller import Caller, CallRecord, UnusableAnswer
from synth.models.client import Request
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.recipe.ensemble import EnsembleSpec
from synth.recipe.kinds.solved import CotSpec
from synth.recipe.models import ModelSpec, SamplingSpec
from synth.store import Store


@dataclass(frozen=True, slots=True)
class Case:
    """A question with all that was made for it; ``tokens`` of input and output by role."""

    question: str
    gold: str
    greedy: Chain
    evidence: Evidence
    tokens: dict[str, int]

    def right(self, answer: str | None) -> bool:
        return answer is not None and same_answer(answer, self.gold)


class _Metered:
    """A caller that counts tokens by unit and role."""

    def __init__(self, caller: Caller) -> None:
        self.tokens: dict[tuple[str, str], int] = {}
        self._caller = caller

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        try:
            record = await self._caller.call(model, request, unit=unit, key=key)
        except UnusableAnswer as error:
            self._count(unit, key, error.record)
            raise
        self._count(unit, key, record)
        return record

    def _count(self, unit: str, key: str, record: CallRecord) -> None:
        place = unit, key.partition(".")[0]
        self.tokens[place] = self.tokens.get(place, 0) + record.usage.total


async def collect(options: argparse.Namespace, work: Path) -> list[Case]:
    """Ask for what the work folder does not hold yet."""
    lines = options.data.read_text().splitlines()[options.skip :][: options.questions]
    seeds = [json.loads(line) for line in lines]
    work.mkdir(parents=True, exist_ok=True)
    store = Store.open(work / "run.sqlite")
    store.prepare_resume()
    # Without top_p, which costs a server on a CPU more than the model does.
    shared = {"model": options.model, "sampling": SamplingSpec(top_p=1), "timeout": 900, "concurrency": 240}
    spec = ModelSpec(provider="embedded", **{**shared, "concurrency": 8})
    if options.base_url:
        spec = ModelSpec(provider="openai", base_url=options.base_url, send_seed=False, **shared)
    ensemble_spec = EnsembleSpec(samples=options.samples, programs=options.programs)
    setup = Setup(CotSpec(kind="cot", count=1, ensemble=ensemble_spec), {"model": spec}, Path())
    ensemble = Ensemble(setup, ensemble_spec)
    greedy = setup.agent("greedy", sampling=SamplingSpec(temperature=0, max_tokens=512), template="cot/solver")
    places, started, done = asyncio.Semaphore(options.at_once), time.monotonic(), 0
    try:
        async with open_models({"model": spec}, base=Path(), run_dir=work) as models:
            caller = _Metered(JournaledCaller(models, store))

            async def case(index: int) -> Case | None:
                nonlocal done
                question = str(seeds[index]["question"])
                unit = WorkUnit(
                    "bench", "cot", options.skip + index, 0, Seed(str(index), {}), {}, derive_seed(question)
                )
                context = UnitContext(unit, caller)
                try:
                    async with places:
                        first, evidence = await asyncio.gather(
                            solve(greedy, context, {"question": question}, 1),
                            ensemble.gather(context, question, programs=True),
                        )
                except SynthError:
                    if options.stored:
                        return None
                    raise
                done += 1
                print(f"{done}/{len(seeds)} questions, {time.monotonic() - started:.0f} s", flush=True)
                tokens = {role: used for (of, role), used in caller.tokens.items() if of == unit.id}
                return Case(question, str(seeds[index]["answer"]), first[0], evidence, tokens)

            cases = await asyncio.gather(*(case(index) for index in range(len(seeds))))
            return [case for case in cases if case is not None]
    finally:
        await store.flush()
        store.close()


Believed = Callable[[Evidence], tuple[str, float] | None]
"""The answer that a rule believes most for a question, with how much; None where it has none."""


VOTERS = 5


def by_majority(evidence: Evidence) -> tuple[str, float] | None:
    """Plain majority voting (self-consistency) of five chains, however many the ensemble has."""
    return by_ensemble(Evidence(evidence.chains[:VOTERS]))


def by_chains(evidence: Evidence) -> tuple[str, float] | None:
    """A majority of all chains."""
    return by_ensemble(Evidence(evidence.chains))


def by_ensemble(evidence: Evidence) -> tuple[str, float] | None:
    """The ensemble's own rule."""
    winner = evidence.winner()
    return None if winner is None else (winner.answer, evidence.support(winner))


def by_programs(evidence: Evidence) -> tuple[str, float] | None:
    """Programs alone."""
    return by_ensemble(Evidence((), evidence.programs))


Point = tuple[float, int, int]
"""Smallest support that is accepted, questions answered, and answered rightly."""


def curve(cases: list[Case], rule: Believed, *, sound: bool = False) -> list[Point]:
    """From the strictest acceptance to the most generous one. With ``sound`` only what would go into a dataset: answers
    that a chain with sound arithmetic reaches."""
    believed = [(case, rule(case.evidence)) for case in cases]
    given = [
        (found[1], case.right(found[0]))
        for case, found in believed
        if found and not (sound and not _has_chain(case, found[0]))
    ]
    return [
        (least, len(rights := [right for support, right in given if support >= least]), sum(rights))
        for least in sorted({support for support, _ in given}, reverse=True)
    ]


def _has_chain(case: Case, answer: str) -> bool:
    try:
        sound_chains(list(case.evidence.chains), case.question, answer)
    except Rejected:
        return False
    return True


def precision_at(points: list[Point], answered: int) -> tuple[int, int] | None:
    """Answered and right where the curve first answers at least so many questions."""
    return next(((count, right) for _, count, right in points if count >= answered), None)


def report(name: str, cases: list[Case], vote: float) -> None:
    """Print what is asked of the ensemble: accuracies, precision at equal coverage, the curve, and the costs."""
    total = len(cases)
    chains = [(case, chain) for case in cases for chain in case.evidence.chains]
    sound = [(case, chain) for case, chain in chains if chain.answer and not fault_of(case.question, chain)]
    programs = [(case, program) for case in cases for program in case.evidence.programs]
    singles: list[tuple[str, int, int]] = [
        ("one greedy chain", total, sum(case.right(case.greedy.answer) for case in cases)),
        ("one sampled chain (mean)", len(chains), sum(case.right(chain.answer) for case, chain in chains)),
        ("one sampled chain with sound arithmetic", len(sound), sum(case.right(chain.answer) for case, chain in sound)),
        ("one program (mean)", len(programs), sum(case.right(program.answer) for case, program in programs)),
    ]
    votes, agreed, kept = curve(cases, by_majority), curve(cases, by_ensemble), curve(cases, by_ensemble, sound=True)
    singles += [
        (f"majority of {VOTERS} chains", *votes[-1][1:]),
        ("majority of all chains", *curve(cases, by_chains)[-1][1:]),
        ("programs alone", *curve(cases, by_programs)[-1][1:]),
        ("ensemble, unfiltered", *agreed[-1][1:]),
        (f"ensemble, support >= {vote}", *_at_least(agreed, vote)),
        ("the same with a sound chain: what goes out", *_at_least(kept, vote)),
    ]
    show(
        f"{name}: {total} questions",
        ["rule", "answered", "right", "precision"],
        [[rule, str(count), str(right), _share(right, count)] for rule, count, right in singles],
    )
    rows = []
    for least, count, right in votes:
        same, filtered = precision_at(agreed, count), precision_at(kept, count)
        rows.append(
            [
                f"{least:.2f}",
                f"{count / total:.2f}",
                _share(right, count),
                *(_beside(found, total) for found in (same, filtered)),
            ]
        )
    show(
        f"Precision at the coverage of a majority of {VOTERS} chains",
        ["its vote", "coverage", "majority", "ensemble (coverage)", "with a sound chain (coverage)"],
        rows,
    )
    show(
        "The ensemble's curve",
        ["support", "coverage", "precision", "with a sound chain: coverage", "precision"],
        _curve_rows(agreed, kept, total),
    )
    _costs(cases, kept, vote)


def _curve_rows(agreed: list[Point], kept: list[Point], total: int) -> list[list[str]]:
    rows = []
    for least, count, right in agreed:
        _, filtered, good = max(
            (point for point in kept if point[0] >= least), default=(0.0, 0, 0), key=lambda point: point[1]
        )
        rows.append(
            [
                f"{least:.2f}",
                f"{count / total:.2f}",
                _share(right, count),
                f"{filtered / total:.2f}",
                _share(good, filtered),
            ]
        )
    return rows


def _costs(cases: list[Case], kept: list[Point], vote: float) -> None:
    samples = len(cases[0].evidence.chains)
    solver = sum(case.tokens["solver"] for case in cases) / samples
    everything = sum(used for case in cases for role, used in case.tokens.items() if role != "greedy")
    right = sum(case.right(chain.answer) for case in cases for chain in case.evidence.chains) / samples
    count, good = _at_least(kept, vote)
    rows = [
        [
            "sample once, keep all",
            f"{solver:.0f}",
            f"{len(cases)}",
            f"{right:.1f}",
            f"{solver / right:.0f}",
            f"{right / len(cases):.2f}",
        ],
        [
            f"ensemble, support >= {vote}",
            f"{everything}",
            f"{count}",
            f"{good}",
            f"{everything / good:.0f}" if good else "-",
            _share(good, count),
        ],
    ]
    show(
        "Tokens (input and output) for a right chain in the dataset",
        ["", "tokens", "kept", "right", "tokens / right chain", "share right"],
        rows,
    )


def _at_least(points: list[Point], vote: float) -> tuple[int, int]:
    return max(((count, right) for least, count, right in points if least >= vote), default=(0, 0))


def _beside(found: tuple[int, int] | None, total: int) -> str:
    return "-" if found is None else f"{_share(found[1], found[0])} ({found[0] / total:.2f})"


def _share(right: int, count: int) -> str:
    return f"{right / count:.2f}" if count else "-"


def curves(cases: list[Case]) -> dict[str, list[tuple[float, float]]]:
    """Coverage and precision, by rule."""
    found = {
        f"majority of {VOTERS} chains": curve(cases, by_majority),
        "programs alone": curve(cases, by_programs),
        "chains and programs": curve(cases, by_ensemble),
        "the same with a sound chain": curve(cases, by_ensemble, sound=True),
        "one greedy chain": [(0.0, len(cases), sum(case.right(case.greedy.answer) for case in cases))],
    }
    return {name: [(count / len(cases), right / count) for _, count, right in points] for name, points in found.items()}


def graded(case: Case) -> Json:
    """A question with its chains and whether each is right; chains without an answer are left out."""
    told = [chain for chain in case.evidence.chains if chain.answer is not None]
    chains = [{"text": chain.text, "right": case.right(chain.answer)} for chain in told]
    return {"question": case.question, "chains": chains}


def plot(path: Path, works: list[Path]) -> None:
    """Precision over coverage, one panel for each work folder."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(works), figsize=(4.6 * len(works), 3.6), squeeze=False, sharey=True)
    for panel, work in zip(panels[0], works, strict=True):
        for (name, points), style in zip(
            json.loads((work / "curves.json").read_text()).items(), ("o--", "^:", "s-", "D-", "k*"), strict=True
        ):
            panel.plot(*zip(*points, strict=True), style, label=name, markersize=4)
        panel.set(title=work.name, xlabel="coverage", xlim=(0, 1.02), ylim=(0, 1.02))
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel("precision")
    panels[0][-1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="JSONL with question and answer")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder of the run store; its name names the model in tables and plot"
    )
    parser.add_argument(
        "--model", help="a name of `synth models list`, or a .gguf file; with --base-url its name there"
    )
    parser.add_argument("--base-url", help="an OpenAI-compatible endpoint, instead of the embedded model")
    parser.add_argument("--skip", type=int, default=0, help="questions to leave out at the beginning")
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument(
        "--stored", action="store_true", help="leave out questions that the work folder does not hold every answer of"
    )
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--programs", type=int, default=4)
    parser.add_argument("--vote", type=float, default=EnsembleSpec().vote, help="smallest support that is accepted")
    parser.add_argument("--at-once", type=int, default=8, help="questions in the making")
    parser.add_argument("--plot", type=Path, help="where to draw the curve (.svg, .png)")
    parser.add_argument(
        "--beside", type=Path, nargs="*", default=[], help="work folders of earlier runs to draw beside"
    )
    options = parser.parse_args()
    cases = asyncio.run(collect(options, options.work))
    report(options.work.name, cases, options.vote)
    (options.work / "curves.json").write_text(json.dumps(curves(cases)))
    (options.work / "chains.jsonl").write_text("".join(json.dumps(graded(case)) + "\n" for case in cases))
    if options.plot:
        plot(options.plot, [*options.beside, options.work])


if __name__ == "__main__":
    main()
