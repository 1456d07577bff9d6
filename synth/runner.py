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
from synth.diversity.long_tail import with_typos
from synth.errors import BudgetSpent, EndpointUnavailable, Rejected, RunError, SynthError, TransientError, UsageError
from synth.events import Listener, UnitDecided
from synth.example import Attempt, Verdict, WorkUnit
from synth.gates.base import judge_all
from synth.generations import seeds_from_rows
from synth.line import Line
from synth.models.caller import Caller
from synth.rows import accepted_row, rejected_row
from synth.store import Store

_WINDOW = 8
"""Units that wait for an earlier one to be decided, per unit in flight: bounds memory and how far a plan runs ahead."""
_STARTING = -1
"""Where a line that is being started stands among its running units."""
_BLOCK = 256
"""Attempts decided together."""
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
        self._unavailable: dict[str, EndpointUnavailable] = {}
        self._interrupted = False
        self._defect: Exception | None = None

    def interrupt(self) -> None:
        """End soon, resumable: what is in flight is dropped, what was answered is kept."""
        self._interrupted = True
        self._wake.set()

    async def run(self) -> Ending:
        """Make every line's count, or find out why not."""
        try:
            await self._start_lines()
            while not self._over():
                self._start_later_generations()
                self._start_units()
                if not self._in_flight:
                    break
                await self._wake.wait()
                self._wake.clear()
                if self._defect is not None:
                    raise self._defect
                for line in self._lines:
                    await self._decide(line)
        finally:
            await self._drop_units()
        for line in self._lines:
            await self._decide(line)
            await self._decide_beyond_gaps(line)
        return self._ending()

    async def _start_lines(self) -> None:
        """Make ready what each line compares with; an interruption does not wait for it."""
        starting = asyncio.gather(
            *(line.start(self._caller) for line in self._lines if line.source is None and not line.done)
        )
        starting.add_done_callback(lambda _: self._wake.set())
        await self._wake.wait()
        if not starting.done():
            starting.cancel()
        try:
            await starting
        except asyncio.CancelledError:
            if not self._interrupted:
                raise
        except (BudgetSpent, RunError, UsageError) as error:
            self._stop = error

    def _start_later_generations(self) -> None:
        """Start what took its seeds from a line that has just made its count."""
        for line in self._lines:
            source = line.source
            if source is None or not source.done or line.over or line.started or _STARTING in line.running:
                continue
            self._in_flight += 1
            line.running[_STARTING] = asyncio.get_running_loop().create_task(self._start_later(line, source))

    async def _start_later(self, line: Line, source: Line) -> None:
        try:
            await self._store.flush()
            rows = self._store.accepted_rows(source.spec.id)
            line.use_seeds(seeds_from_rows(rows, line.spec.needs, source=source.spec.id, user=line.spec.id))
            await line.start(self._caller)
        except (BudgetSpent, RunError, UsageError) as error:
            if self._stop is None or isinstance(self._stop, BudgetSpent):
                self._stop = error
        except Exception as defect:  # noqa: BLE001 - raised again by run(), as for a unit
            self._defect = defect
        finally:
            del line.running[_STARTING]
            self._in_flight -= 1
            self._wake.set()

    def _over(self) -> bool:
        if self._interrupted or isinstance(self._stop, RunError | UsageError):
            return True
        if self._stop is not None:
            return self._in_flight == 0
        return all(line.over for line in self._lines)

    def _start_units(self) -> None:
        if self._stop is not None:
            return
        open_lines = [line for line in self._lines if not line.over and line.spec.id not in self._unavailable]
        while open_lines and self._in_flight < self._places:
            for line in list(open_lines):
                if not line.wants_more() or line.next - line.decided >= _WINDOW * self._places:
                    open_lines.remove(line)
                elif self._in_flight < self._places:
                    self._start(line)

    def _start(self, line: Line) -> None:
        unit = line.take_unit()
        self._in_flight += 1
        line.running[unit.index] = asyncio.get_running_loop().create_task(self._carry_out(line, unit))

    async def _carry_out(self, line: Line, unit: WorkUnit) -> None:
        context = UnitContext(unit, self._caller)
        try:
            line.finished[unit.index] = await self._attempt(line, context)
        except EndpointUnavailable as error:  # generators that ask other endpoints go on
            self._unavailable[line.spec.id] = error
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
            draft = with_typos(context.unit, await line.generator.make(context))
            if line.spec.preference and "rejected" not in draft.extra:
                raise Rejected("preference", "there is no rejected response beside it", text=draft.text)
            draft, verdicts = await judge_all(line.gates, draft, context)
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
        if line.novelty is not None and all(verdict.passed for verdict in verdicts):
            await line.novelty.prepare(context.unit, draft.text)
        return Attempt(context.unit, context.lineage(), draft, verdicts)

    async def _decide(self, line: Line) -> None:
        """Decide what is next in plan order, in blocks: comparing many with all that is there costs little more."""
        while not line.over and (block := line.take_finished(_BLOCK)):
            for attempt, novel in zip(block, await self._compare(line, block), strict=True):
                verdict = self._record(line, attempt, novel, provisional=False)
                self._watch_errors(line, verdict)
                if line.note(attempt.unit, verdict):
                    break
        if line.over:
            for task in line.running.values():
                task.cancel()

    async def _decide_beyond_gaps(self, line: Line) -> None:
        """What is complete behind a unit that did not end is shown now, and decided again in its turn on resume."""
        for index in sorted(line.finished):
            if line.over:
                return
            attempt = line.finished.pop(index)
            (novel,) = await self._compare(line, [attempt])
            line.accepted += self._record(line, attempt, novel, provisional=True) is None

    @staticmethod
    async def _compare(line: Line, block: list[Attempt]) -> list[Verdict | None]:
        """What the novelty filter says of each draft that nothing has said no to."""
        if line.novelty is None:
            return [None] * len(block)
        texts = [(a.unit, a.draft.text) if a.draft is not None and a.rejection is None else None for a in block]
        return await line.novelty.judge(texts)

    def _record(self, line: Line, attempt: Attempt, novel: Verdict | None, *, provisional: bool) -> Verdict | None:
        """Record the decision; the verdict that said no, or None."""
        unit, draft = attempt.unit, attempt.draft
        verdicts = attempt.verdicts if novel is None else (*attempt.verdicts, novel)
        verdict = next((verdict for verdict in verdicts if not verdict.passed), None)
        if verdict is None:
            assert draft is not None, "an attempt without a draft has the verdict that ended it"
            row, text = accepted_row(attempt, draft, verdicts), draft.text if line.novelty is not None else None
        else:
            row, text = rejected_row(attempt, verdict), None
        gate = verdict.gate if verdict else None
        self._store.record_attempt(line.spec.id, unit.index, unit.id, gate, row, text=text, provisional=provisional)
        self._listener(UnitDecided(line.spec.id, unit.id, gate, verdict.reason if verdict else ""))
        return verdict

    def _watch_errors(self, line: Line, verdict: Verdict | None) -> None:
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
        for error in self._unavailable.values():
            return Ending("short", error.message, error.hint, error.exit_code)
        short = [line for line in self._lines if not line.done]
        told = ", ".join(
            f"{line.spec.id!r} has {line.accepted} of {line.spec.count} after {line.decided} attempts"
            + (f" ({line.watch})" if line.dry else "")
            + (f" (its seeds are those of {line.spec.seeds_from!r})" if line.source and not line.source.done else "")
            for line in short
        )
        if any(line.dry for line in short):
            hint = "give more seeds, axes or personas, or a higher diversity.max_similarity, and another --run-dir"
            return Ending("short", f"there is little new to be had: {told}", hint, exit_code=3)
        hint = "see rejected.jsonl for the reasons; raise budget.attempts and run the same command again to go on"
        return Ending("short", f"the attempts ran out: {told}", hint, exit_code=3)
