"""Carries out plans: many units at once, decided one after the other in plan order.

Units run concurrently and end in any order; what is accepted, what is a near-duplicate and when enough is enough is
decided in plan order. So the same responses give the same dataset at any concurrency.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from synth.agents.context import UnitContext
from synth.diversity.novelty import Novelty
from synth.errors import BudgetSpent, Rejected, RunError, SynthError, TransientError, UsageError
from synth.events import Listener, UnitDecided
from synth.example import Attempt, Verdict, WorkUnit
from synth.generators.base import Generator
from synth.models.caller import Caller
from synth.plan import Plan
from synth.recipe.schema import GeneratorSpec
from synth.rows import accepted_row, rejected_row
from synth.store import Progress, Store

_WINDOW = 8
"""Units that wait for an earlier one to be decided, per unit in flight: bounds memory and how far a plan runs ahead."""
_MOST_ERRORS = 20
"""After so many attempts in a row that ended in an unexpected exception, something is broken rather than unlucky."""

Status = Literal["complete", "short", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, and why it did not complete."""

    status: Status
    message: str = ""
    hint: str = ""
    exit_code: int = 0


class Line:
    """One generator at work: its plan, what runs, what waits for its turn, what is decided."""

    def __init__(
        self,
        spec: GeneratorSpec,
        plan: Plan,
        generator: Generator,
        novelty: Novelty | None,
        progress: Progress,
        attempts_per_example: float,
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

    @property
    def done(self) -> bool:
        return self.accepted >= self.spec.count

    @property
    def exhausted(self) -> bool:
        return not self.done and self.decided >= self.most_attempts

    def wants_more(self) -> bool:
        """Whether another unit is likely to be needed, going by the share accepted so far."""
        if self.next >= self.most_attempts:
            return False
        share = 1.0 if self.decided < 8 else (self.accepted + 1) / (self.decided + 1)
        return self.accepted + share * (self.next - self.decided) < self.spec.count


class Runner:
    """Runs lines to their end. ``places`` is how many units may be in the making at once, over all lines."""

    def __init__(self, lines: Iterable[Line], caller: Caller, store: Store, listener: Listener, places: int) -> None:
        self._lines = list(lines)
        self._caller = caller
        self._store = store
        self._listener = listener
        self._places = places
        self._in_flight = 0
        self._wake = asyncio.Event()
        self._stop: SynthError | None = None
        self._interrupted = False
        self._defect: Exception | None = None

    def interrupt(self) -> None:
        """End soon, resumable: what is in flight is dropped, what was answered is kept."""
        self._interrupted = True
        self._wake.set()

    async def run(self) -> Ending:
        """Make every line's count, or find out why not."""
        try:
            while not self._over():
                self._start_units()
                if not self._in_flight:
                    break
                await self._wake.wait()
                self._wake.clear()
                if self._defect is not None:
                    raise self._defect
                for line in self._lines:
                    self._decide(line)
        finally:
            await self._drop_units()
        for line in self._lines:
            self._decide(line)
            self._decide_beyond_gaps(line)
        return self._ending()

    def _over(self) -> bool:
        if self._interrupted or isinstance(self._stop, RunError | UsageError):
            return True
        if self._stop is not None:
            return self._in_flight == 0
        return all(line.done for line in self._lines)

    def _start_units(self) -> None:
        if self._stop is not None:
            return
        open_lines = [line for line in self._lines if not line.done]
        while open_lines and self._in_flight < self._places:
            for line in list(open_lines):
                if not line.wants_more() or line.next - line.decided >= _WINDOW * self._places:
                    open_lines.remove(line)
                elif self._in_flight < self._places:
                    self._start(line)

    def _start(self, line: Line) -> None:
        unit = line.plan.unit(line.next)
        line.next += 1
        self._in_flight += 1
        line.running[unit.index] = asyncio.get_running_loop().create_task(self._carry_out(line, unit))

    async def _carry_out(self, line: Line, unit: WorkUnit) -> None:
        context = UnitContext(unit, self._caller)
        try:
            line.finished[unit.index] = await self._attempt(line, context)
        except (BudgetSpent, RunError, UsageError) as error:
            if self._stop is None or isinstance(self._stop, BudgetSpent):
                self._stop = error
        except Exception as defect:  # noqa: BLE001 - raised again by run(): a unit that vanished would leave it waiting
            self._defect = defect
        finally:
            del line.running[unit.index]
            self._in_flight -= 1
            self._wake.set()

    async def _attempt(self, line: Line, context: UnitContext) -> Attempt:
        try:
            draft = await line.generator.make(context)
        except Rejected as rejected:
            verdict = Verdict(rejected.gate, False, rejected.reason)
            return Attempt(context.unit, context.lineage(), None, (verdict,), rejected.text)
        except TransientError as error:
            return Attempt(context.unit, context.lineage(), None, (Verdict("model", False, error.message),))
        except SynthError:
            raise
        except Exception as error:  # noqa: BLE001 - a kind may be the user's own Python: this ends its attempt only
            reason = f"{type(error).__name__}: {error}"
            return Attempt(context.unit, context.lineage(), None, (Verdict("error", False, reason),))
        return Attempt(context.unit, context.lineage(), draft, ())

    def _decide(self, line: Line) -> None:
        while not line.done and (attempt := line.finished.pop(line.decided, None)) is not None:
            verdict = self._judge(line, attempt, provisional=False)
            line.decided += 1
            line.accepted += verdict is None
            self._watch_errors(line, attempt, verdict)
        if line.done:
            for task in line.running.values():
                task.cancel()

    def _decide_beyond_gaps(self, line: Line) -> None:
        """What is complete behind a unit that did not end is shown now, and decided again in its turn on resume."""
        for index in sorted(line.finished):
            if line.done:
                return
            line.accepted += self._judge(line, line.finished.pop(index), provisional=True) is None

    def _judge(self, line: Line, attempt: Attempt, *, provisional: bool) -> Verdict | None:
        """Record the decision; the verdict that said no, or None."""
        verdict, draft = attempt.rejection, attempt.draft
        verdicts = attempt.verdicts
        if verdict is None and draft is not None and line.novelty is not None:
            novel = line.novelty.judge(draft.text)
            verdicts = (*verdicts, novel)
            verdict = None if novel.passed else novel
        unit = attempt.unit
        if verdict is None and draft is not None:
            if line.novelty is not None:
                line.novelty.add(unit.id, draft.text)
            row, text = accepted_row(attempt, draft, verdicts), draft.text if line.novelty is not None else None
        else:
            assert verdict is not None, "an attempt without a draft has the verdict that ended it"
            row, text = rejected_row(attempt, verdict), None
        gate = verdict.gate if verdict else None
        self._store.record_attempt(line.spec.id, unit.index, unit.id, gate, row, text=text, provisional=provisional)
        self._listener(UnitDecided(line.spec.id, unit.id, gate, verdict.reason if verdict else ""))
        return verdict

    def _watch_errors(self, line: Line, attempt: Attempt, verdict: Verdict | None) -> None:
        line.errors_in_a_row = line.errors_in_a_row + 1 if verdict is not None and verdict.gate == "error" else 0
        if line.errors_in_a_row == _MOST_ERRORS and self._stop is None:
            assert verdict is not None
            self._stop = RunError(
                f"generator {line.spec.id!r} failed {_MOST_ERRORS} times in a row: {verdict.reason}",
                hint="mend it and run the same command again: it resumes",
            )

    async def _drop_units(self) -> None:
        tasks = [task for line in self._lines for task in line.running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ending(self) -> Ending:
        if all(line.done for line in self._lines):
            return Ending("complete")
        if self._interrupted:
            return Ending("interrupted", "interrupted", exit_code=130)
        if self._stop is not None:
            status: Status = "short" if isinstance(self._stop, BudgetSpent) else "failed"
            return Ending(status, self._stop.message, self._stop.hint, self._stop.exit_code)
        dry = ", ".join(
            f"{line.spec.id!r} has {line.accepted} of {line.spec.count} after {line.decided} attempts"
            for line in self._lines
            if line.exhausted
        )
        hint = "see rejected.jsonl for the reasons; raise budget.attempts and run the same command again to go on"
        return Ending("short", f"the attempts ran out: {dry}", hint, exit_code=3)
