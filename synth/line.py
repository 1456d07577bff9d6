"""One generator at work: its plan, what runs, what waits for its turn, and how far it has been decided."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from textwrap import shorten

from synth.diversity.echo import FEWEST_ECHOES, MOST_ECHOES, teacher_echo
from synth.diversity.embedding import Embeddings
from synth.diversity.novelty import Novelty
from synth.diversity.personas import PersonaWriter
from synth.diversity.steering import DryWatch
from synth.example import Attempt, Seed, Verdict, WorkUnit
from synth.gates.base import AnyGate
from synth.generators.base import Generator
from synth.models.caller import Caller
from synth.models.progress import Report, ignore
from synth.plan import Plan
from synth.prepared import Prepared
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.schema import Recipe
from synth.store import Progress, Rejection, Store

_LONGEST_REASON = 160  # characters


class Line:
    """``history`` are the rejections of earlier invocations, in plan order; ``progress`` says how far those came.
    ``echoes`` is how many of the first units are asked of the teacher greedily, to reject what is close to that.
    ``gates`` look at each draft when it is finished. ``writer`` writes personas for the plan. ``source`` is the line
    whose accepted examples are its seeds: it begins when that one has them all."""

    def __init__(
        self,
        spec: GeneratorSpec,
        plan: Plan,
        generator: Generator,
        novelty: Novelty | None,
        progress: Progress,
        attempts_per_example: float,
        history: Sequence[Rejection] = (),
        echoes: int = 0,
        gates: Sequence[AnyGate] = (),
        writer: PersonaWriter | None = None,
        source: Line | None = None,
    ) -> None:
        self.spec = spec
        self.plan = plan
        self.generator = generator
        self.novelty = novelty
        self.accepted = progress.accepted
        self.decided = progress.decided
        self.next = progress.decided
        self.most_attempts = int(spec.count * attempts_per_example)
        self.running: dict[int, asyncio.Task[None]] = {}
        self.finished: dict[int, Attempt] = {}
        self.errors_in_a_row = 0
        self.echoes = echoes
        self.gates = gates
        self.source = source
        self.started = False
        self._history = history
        self._lost = Counter(past.gate for past in history)
        self._reasons: dict[str, str] = {}
        self._writer = writer
        said_no = dict.fromkeys(range(max(0, self.decided - DryWatch.WINDOW), self.decided))
        for past in history:
            if past.place in said_no:
                said_no[past.place] = past.gate
        self.watch = DryWatch(said_no.values())

    async def start(self, caller: Caller) -> None:
        """Make ready what the first unit and the first decision need. Raises ``BudgetSpent`` and ``RunError``."""
        if self._writer is not None:
            self.plan.use_personas(await self._writer.personas(caller))
        if self.novelty is not None:
            units = [self.plan.unit(index) for index in range(self.echoes)]
            await self.novelty.start(await teacher_echo(self.generator, units, caller) if units else ())
        for past in self._history:  # now that the novelty filter knows all its texts
            self.plan.reject(past.place, self._texts(past.near))
        self._history = ()
        self.started = True

    def use_seeds(self, seeds: Sequence[Seed]) -> None:
        """Take the seeds of a later generation; before :meth:`start`."""
        self.plan.use_seeds(seeds)
        if self.novelty is not None:
            self.novelty.use_seeds(seeds)

    @property
    def done(self) -> bool:
        return self.accepted >= self.spec.count

    @property
    def dry(self) -> bool:
        """Whether going on would only cost: nearly all it makes is there already."""
        return not self.done and self.watch.dry

    @property
    def over(self) -> bool:
        return self.done or self.watch.dry

    @property
    def exhausted(self) -> bool:
        return not self.over and self.decided >= self.most_attempts

    def wants_more(self) -> bool:
        """Whether another unit is needed; where the plan is not steered, is likely to be, by the share accepted."""
        if not self.started or self.next >= self.most_attempts:
            return False
        if self.plan.steered:
            return self.next < self.plan.known
        share = 1.0 if self.decided < 8 else (self.accepted + 1) / (self.decided + 1)
        return self.accepted + share * (self.next - self.decided) < self.spec.count

    def take_unit(self) -> WorkUnit:
        """The next unit of the plan."""
        self.next += 1
        return self.plan.unit(self.next - 1)

    def take_finished(self, most: int) -> list[Attempt]:
        """What has been made and is next in plan order, without a gap."""
        ready: list[Attempt] = []
        while len(ready) < most and (attempt := self.finished.pop(self.decided + len(ready), None)) is not None:
            ready.append(attempt)
        return ready

    def note(self, unit: WorkUnit, verdict: Verdict | None) -> bool:
        """Count a decision, made in plan order; ``verdict`` is what said no. Whether the line is over now."""
        self.decided += 1
        self.accepted += verdict is None
        if verdict is not None:
            self._lost[verdict.gate] += 1
            self._reasons[verdict.gate] = verdict.reason
            self.plan.reject(unit.index, self._texts(verdict.near))
        self.watch.note(verdict.gate if verdict else None)
        return self.over

    def describe(self) -> str:
        """How far it has come, and what most of its attempts were lost to, with the latest reason."""
        told = f"{self.spec.id!r} has {self.accepted} of {self.spec.count} after {self.decided} attempts"
        if self.dry:
            return f"{told} ({self.watch})"
        if self.source and not self.source.done:
            return f"{told} (its seeds are those of {self.spec.seeds_from!r})"
        for gate, times in self._lost.most_common(1):
            reason = shorten(self._reasons.get(gate, ""), _LONGEST_REASON)
            told += f" ({times} lost to {gate}{reason and f', the latest: {reason}'})"
        return told

    def _texts(self, names: Sequence[str]) -> tuple[str, ...]:
        return self.novelty.texts(names) if self.novelty is not None else ()


def make_lines(prepared: Prepared, store: Store, embeddings: Embeddings | None, report: Report = ignore) -> list[Line]:
    """The lines of a recipe, where earlier invocations left them. ``embeddings``: meanings are compared too."""
    recipe, progress = prepared.loaded.recipe, store.progress()
    lines: list[Line] = []
    asked = recipe.personas.generate if recipe.personas is not None else None
    writer = PersonaWriter(recipe, asked, report) if asked is not None else None
    for spec, plan, generator in prepared.generators:
        novelty = None
        if recipe.diversity != "off":
            meanings = None
            if embeddings is not None:
                from synth.diversity.meanings import Meanings  # numpy comes with the extra

                most = recipe.diversity.max_similarity
                meanings = Meanings(embeddings, None if most == "auto" else most)
            novelty = Novelty(
                recipe.diversity,
                prepared.seeds,
                store.accepted_texts(spec.id),
                meanings,
                near_own_seed=spec.near_own_seed,
                keep_texts=plan.steered,
            )
        lines.append(
            Line(
                spec,
                plan,
                generator,
                novelty,
                progress.get(spec.id, Progress()),
                recipe.budget.attempts,
                store.rejections_of(spec.id),
                count_echoes(recipe, spec, prepared.seeds),
                prepared.gates,
                writer if plan.has_personas else None,
                next((line for line in lines if line.spec.id == spec.seeds_from), None),
            )
        )
    return lines


def count_echoes(recipe: Recipe, spec: GeneratorSpec, seeds: Sequence[Seed]) -> int:
    """How many of a generator's first units the teacher is asked greedily."""
    if recipe.diversity == "off" or not recipe.diversity.teacher_echo:
        return 0
    return min(spec.count, MOST_ECHOES, len(seeds) or FEWEST_ECHOES)
