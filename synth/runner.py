"""Carries out plans: many units at once, decided one after the other in plan order.

Units run concurrently and end in any order; what is accepted, what is a near-duplicate and when enough is enough is
decided in plan order. So the same responses give the same dataset at any concurrency.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from synth.agents.context import UnitContext
from synth.diversity.long_tail import with_typos
from synth.errors import (
    BudgetSpent,
    EndpointUnavailable,
    Rejected,
    ResponseError,
    RunError,
    SynthError,
    TransientError,
    UsageError,
)
from synth.events import Listener, Stopping, UnitDecided
from synth.example import Attempt, Verdict, WorkUnit
from synth.gates.base import judge_all
from synth.generations import seeds_from_rows
from synth.line import Line
from synth.models.caller import RunCaller
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

_QUIET_SECONDS = 1.0
"""A run that failed says that it waits only if it has to wait longer."""

Status = Literal["complete", "short", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, and why it did not complete. ``final``: to resume it would change nothing."""

    status: Status
    message: str = ""
    hint: str = ""
    exit_code: int = 0
    final: bool = False


class Runner:
    """Runs lines to their end. ``places`` is how many units may be in the making at once, over all lines."""

    def __init__(self, lines: Iterable[Line], caller: RunCaller, store: Store, listener: Listener, places: int) -> None:
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
        self._defect: BaseException | None = None

    def interrupt(self) -> None:
        """End soon, resumable: what is in flight is dropped, what was answered is kept."""
        self._interrupted = True
        self._wake.set()

    async def run(self) -> Ending:
        """Make every line's count, or find out why not. Raises ``RunError`` where the store cannot be written."""
        try:
            while not self._over():
                self._start_lines()
                self._start_units()
                if not self._in_flight and not self._wake.is_set():  # set: something ended while lines were decided
                    break
                await self._wake.wait()
                self._wake.clear()
                for line in self._lines:
                    await self._decide(line)
            if isinstance(self._stop, RunError | UsageError):
                await self._finish_calls(self._stop)
        finally:
            await self._drop_units()
        for line in self._lines:
            await self._decide(line)
            await self._decide_beyond_gaps(line)
        if self._defect is not None and not (self._done or self._interrupted):
            raise self._defect
        return self._ending()

    def _start_lines(self) -> None:
        """Make ready what each line compares with; one that takes its seeds from another waits for its count."""
        if self._stop is not None:
            return
        for line in self._lines:
            if line.over or line.started or _STARTING in line.running or line.spec.id in self._unavailable:
                continue
            if line.source is None or line.source.done:
                self._begin(line, _STARTING, self._start_line(line))

    async def _start_line(self, line: Line) -> None:
        if line.source is not None:
            source = line.source.spec.id
            await self._store.flush()
            rows = self._store.accepted_rows(source)
            line.use_seeds(seeds_from_rows(rows, line.spec.needs, source=source, user=line.spec.id))
        await line.start(self._caller)

    def _begin(self, line: Line, place: int, work: Coroutine[Any, Any, None]) -> None:
        """Have ``work`` done beside everything else; ``place`` is where it stands among what the line has running."""
        self._in_flight += 1
        line.running[place] = task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(lambda done: self._end(line, place, done))  # also of one cancelled before it began

    def _end(self, line: Line, place: int, done: asyncio.Task[None]) -> None:
        """Note that something ended, and what it ended by."""
        del line.running[place]
        self._in_flight -= 1
        self._wake.set()
        error = None if done.cancelled() else done.exception()
        if isinstance(error, EndpointUnavailable):  # generators that ask other endpoints go on
            self._unavailable[line.spec.id] = error
        elif isinstance(error, BudgetSpent | RunError | UsageError):
            if self._stop is None or isinstance(self._stop, BudgetSpent):
                self._stop = error
        elif error is not None:  # a unit that vanished would leave the others waiting for their turn
            self._defect = error

    @property
    def _done(self) -> bool:
        return all(line.done for line in self._lines)

    def _over(self) -> bool:
        if self._interrupted or self._defect is not None or isinstance(self._stop, RunError | UsageError):
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
        self._begin(line, unit.index, self._carry_out(line, unit))

    async def _carry_out(self, line: Line, unit: WorkUnit) -> None:
        line.finished[unit.index] = await self._attempt(line, UnitContext(unit, self._caller))

    async def _attempt(self, line: Line, context: UnitContext) -> Attempt:
        """What becomes of a unit. What is raised and does not end the run ends the attempt: a kind may be the user's
        own Python, and what it makes may be nothing that a row can hold."""
        try:
            attempt = await self._make(line, context)
            _check_row(attempt)
            if line.novelty is not None and attempt.draft is not None and attempt.rejection is None:
                await line.novelty.prepare(context.unit, attempt.draft.text)
        except (BudgetSpent, RunError, UsageError):
            raise
        except Exception as error:  # noqa: BLE001 - see above
            reason = f"{type(error).__name__}: {error}".encode(errors="replace").decode()
            return Attempt(context.unit, context.lineage(), None, (Verdict("error", False, reason),))
        return attempt

    @staticmethod
    async def _make(line: Line, context: UnitContext) -> Attempt:
        """The draft, and what the gates say of it; or why there is none."""
        try:
            draft = with_typos(context.unit, await line.generator.make(context))
            if line.spec.preference and "rejected" not in draft.extra:
                raise Rejected("preference", "there is no rejected response beside it", text=draft.text)
            draft, verdicts = await judge_all(line.gates, draft, context)
        except Rejected as rejected:
            verdict = Verdict(rejected.gate, False, rejected.reason)
            return Attempt(context.unit, context.lineage(), None, (verdict,), rejected.text)
        except ResponseError as error:
            return Attempt(
                context.unit, context.lineage(), None, (Verdict(error.kind, False, error.message),), error.text
            )
        except TransientError as error:
            return Attempt(context.unit, context.lineage(), None, (Verdict("model", False, error.message),))
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
        """What is complete behind a unit that did not end is shown now, up to the count, and decided again in its turn
        on resume: the line counts only what was decided in plan order."""
        shown = line.accepted
        for index in sorted(line.finished):
            if line.over or shown == line.spec.count:
                return
            attempt = line.finished.pop(index)
            (novel,) = await self._compare(line, [attempt])
            shown += self._record(line, attempt, novel, provisional=True) is None

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
        failed = verdict is not None and verdict.gate in {"error", "template"}
        line.errors_in_a_row = line.errors_in_a_row + 1 if failed else 0
        if line.errors_in_a_row == _MOST_ERRORS and self._stop is None:
            assert verdict is not None
            self._stop = RunError(
                f"generator {line.spec.id!r} failed {_MOST_ERRORS} times in a row: {verdict.reason}",
                hint="mend it and run the same command again: it resumes",
            )

    async def _finish_calls(self, error: SynthError) -> None:
        """Wait for the answers under way: they are paid for. Nothing more is sent, and an interrupt ends the wait."""
        finishing = asyncio.create_task(self._caller.finish())
        finishing.add_done_callback(lambda _: self._wake.set())
        await asyncio.wait([finishing], timeout=_QUIET_SECONDS)
        if not finishing.done():
            self._listener(Stopping(f"{error.message}; waiting for the answers under way"))
        while not (finishing.done() or self._interrupted):
            await self._wake.wait()
            self._wake.clear()
        finishing.cancel()

    async def _drop_units(self) -> None:
        tasks = [task for line in self._lines for task in line.running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ending(self) -> Ending:
        if self._done:
            return Ending("complete")
        if self._interrupted:
            return Ending("interrupted", "interrupted", exit_code=130)
        if self._stop is not None:
            status: Status = "short" if isinstance(self._stop, BudgetSpent) else "failed"
            return Ending(status, self._stop.message, self._stop.hint, self._stop.exit_code)
        for error in self._unavailable.values():
            return Ending("short", error.message, error.hint, error.exit_code)
        short = [line for line in self._lines if not line.done]
        told = ", ".join(line.describe() for line in short)
        if any(line.dry for line in short):
            hint = "give more seeds, axes or personas, or a higher diversity.max_similarity, and another --run-dir"
            return Ending("short", f"there is little new to be had: {told}", hint, exit_code=3, final=True)
        hint = "see rejected.jsonl for the reasons; raise budget.attempts and run the same command again to go on"
        return Ending("short", f"the attempts ran out: {told}", hint, exit_code=3)


def _check_row(attempt: Attempt) -> None:
    """Raise here what would be raised when the attempt is recorded: ``TypeError`` or ``UnicodeEncodeError``."""
    if attempt.rejection is not None:
        rejected_row(attempt, attempt.rejection)
    elif attempt.draft is not None:
        accepted_row(attempt, attempt.draft, attempt.verdicts)
        attempt.draft.text.encode()
