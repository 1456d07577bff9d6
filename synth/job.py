"""One run from recipe to run folder: the whole main job, for the command line and for Python."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson

from synth.budget import Budget, require_prices
from synth.diversity.embedders import open_embeddings
from synth.diversity.embedding import Embeddings
from synth.diversity.endpoint_embedder import Accounts
from synth.errors import EXIT_INTERRUPTED, RunError, UsageError
from synth.estimate import estimate
from synth.events import CallFinished, Listener, RunFinished, RunStarted, Stopping, Warned, guarded, ignore
from synth.example import generator_of
from synth.export.dataset import dataset_file, replaced_in, write_run_folder
from synth.files import write_atomically
from synth.generators.base import Opened
from synth.governance.forgetting import FORGOTTEN
from synth.judging.report import warnings as judging_warnings
from synth.line import Line, make_lines
from synth.messages import Json
from synth.models.cache import open_cache
from synth.models.caller import CallRecord, Journal
from synth.models.client import Request
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.models.open_tracing import open_tracing
from synth.prepared import Prepared, prepare
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.kinds.custom import CustomSpec
from synth.recipe.kinds.solved import SolvedSpec
from synth.recipe.load import LoadedRecipe
from synth.recipe.lock import differences, read_lock
from synth.recipe.writers import decoding_models
from synth.run_lock import only_run_in
from synth.runner import Ending, Runner
from synth.sandbox.program import unprotected
from synth.store import Progress, Store
from synth.summary import summarize

_INTERRUPTED = Ending("interrupted", "interrupted", exit_code=EXIT_INTERRUPTED)

Resume = Literal["auto", "never", "require"]

_PLACES_PER_CONNECTION = 2
"""Units in the making per request that a model takes at once: while one waits for the disk, another is asked."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to. ``ending.exit_code`` is what the command exits with; ``summary`` is ``summary.json``."""

    run_dir: Path
    ending: Ending
    summary: Json

    def rows(self, generator: str | None = None) -> Iterator[Json]:
        """The accepted examples of one generator, or of all, as the dataset files have them."""
        for name in [generator] if generator is not None else self.summary["generators"]:
            with dataset_file(self.run_dir, name).open("rb") as file:
                yield from map(orjson.loads, file)


def run(
    recipe: LoadedRecipe,
    *,
    run_dir: str | os.PathLike[str] | None = None,
    resume: Resume = "auto",
    listener: Listener = ignore,
) -> RunResult:
    """Carry out a recipe and leave its run folder (default: ``runs/<name>``) complete, or short and resumable.

    ``listener`` is told what happens, from the thread that the run is at work in; one that is a context manager is
    entered for the run. Works inside a running event loop too, as in a notebook. Raises ``SynthError`` when nothing
    could be begun.
    """
    folder = Path(run_dir) if run_dir is not None else Path("runs") / recipe.recipe.name
    job = _Job(recipe, folder, resume, listener)
    with _entered(listener):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return _run_loop(job)
        return _run_in_thread(job)


def _entered(listener: object) -> AbstractContextManager[object]:
    return listener if isinstance(listener, AbstractContextManager) else nullcontext()


def _run_in_thread(job: _Job) -> RunResult:
    """For callers whose thread has an event loop already. Their Ctrl-C interrupts the run as a signal would."""
    results: list[RunResult | BaseException] = []
    thread = threading.Thread(target=lambda: results.append(_caught(job)), name="synth-run")
    thread.start()
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt:
            job.interrupt()
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]


def _caught(job: _Job) -> RunResult | BaseException:
    try:
        return _run_loop(job)
    except BaseException as error:  # noqa: BLE001 - carried from the thread to whoever called run()
        return error


def _run_loop(job: _Job) -> RunResult:
    if sys.platform == "win32":
        return asyncio.run(job.run())
    import uvloop

    return uvloop.run(job.run())


class _Job:
    """The parts of one run and their order."""

    def __init__(self, loaded: LoadedRecipe, run_dir: Path, resume: Resume, listener: Listener) -> None:
        self._recipe = loaded.recipe
        self._loaded = loaded
        self._dir = run_dir
        self._resume = resume
        self._listener = guarded(listener)
        self._runner: Runner | None = None
        self._embeddings: Embeddings | None = None
        self._interrupted = threading.Event()
        self._task: asyncio.Task[object] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def interrupt(self) -> None:
        """End the run soon, resumable; from any thread."""
        if self._loop is None:
            self._interrupted.set()
        else:
            self._loop.call_soon_threadsafe(self._interrupt)

    async def run(self) -> RunResult:
        self._loop = asyncio.get_running_loop()
        recipe, started = self._recipe, time.monotonic()
        prepared = prepare(self._loaded)
        require_prices(recipe)
        self._check_folder()
        if prepared.cleaned is not None and str(prepared.cleaned):
            self._listener(Warned(f"{prepared.cleaned} (seeds.clean; summary.json has examples)"))
        if any(_runs_programs(spec) for spec in recipe.generate) and (missing := unprotected()):
            self._listener(
                Warned(
                    f"programs that models write run here without {missing}: docs/recipes/reasoning.md says what holds"
                )
            )
        with only_run_in(self._dir):
            store = Store.open(self._dir / "run.sqlite")
            try:
                self._begin(store, prepared)
                before = float(store.meta().get("seconds", 0))
                ending, calls = await self._carry_out(store, prepared)
                try:
                    await store.flush()
                except RunError as error:
                    ending = _failed(error)
                seconds = before + time.monotonic() - started
                summary = summarize(recipe, store, ending, calls=calls, seconds=seconds, embeddings=self._embeddings)
                for gate, report in summary.get("judges", {}).items():
                    for warning in judging_warnings(report):
                        self._listener(Warned(f"gate {gate!r}: {warning}"))
                if prepared.cleaned is not None:
                    summary["seeds"] = prepared.cleaned.to_dict()
                store.set_meta({"seconds": str(seconds), "summary": orjson.dumps(summary).decode()})
                write_run_folder(self._dir, prepared.lock, store, summary)
                example = next((row for spec in recipe.generate for row in store.accepted_rows(spec.id)), None)
                shown = orjson.loads(example) if example is not None else None
                self._listener(RunFinished(self._dir, summary, shown, ending.message, ending.hint, ending.final))
            finally:
                store.close()
        return RunResult(self._dir, ending, summary)

    def _check_folder(self) -> None:
        """Raise ``UsageError`` for a folder that is not as was asked for, before anything is written there."""
        exists = (self._dir / "run.sqlite").exists()
        if exists and self._resume == "never":
            raise UsageError(f"{self._dir} already holds a run", hint="choose another --run-dir, or remove this one")
        if not exists and self._resume == "require":
            raise UsageError(f"{self._dir} holds no run to resume", hint="check --run-dir, or leave out --resume")
        if not exists and not self._lock_file.exists() and (replaced := replaced_in(self._dir)):
            raise UsageError(
                f"{self._dir} holds files of no run, which a run would replace: {', '.join(replaced)}",
                hint="give another --run-dir",
            )

    @property
    def _lock_file(self) -> Path:
        return self._dir / "recipe.lock.yaml"

    def _begin(self, store: Store, prepared: Prepared) -> None:
        """Make the store ready for this recipe. Raises ``UsageError``, with nothing changed, where it holds a run that
        the recipe cannot go on with."""
        lock_file, meta = self._lock_file, store.meta()
        begun = "started" in meta  # noted when the lock has been written
        if begun and not lock_file.exists():
            raise UsageError(
                f"{lock_file} is missing: nobody can say whether the run there was made by this recipe",
                hint="restore it to resume, or give another --run-dir to begin anew",
            )
        if begun and (changed := differences(read_lock(lock_file), prepared.lock)):
            back = "change it back"
            if FORGOTTEN in meta:
                back = "take what was forgotten, and nothing else, out of the seeds file (if its seeds have an id)"
            raise UsageError(
                f"{self._dir} was made by another recipe; what changed: {'; '.join(changed)}",
                hint=f"{back} to resume, or give another --run-dir to begin anew",
            )
        progress = store.progress()
        for spec in self._recipe.generate:
            if (accepted := progress.get(spec.id, Progress()).accepted) > spec.count:
                raise UsageError(
                    f"the run has {accepted:,} accepted examples of {spec.id!r} already, more than its count"
                    f" {spec.count:,}",
                    hint="raise the count, or give another --run-dir",
                )
        write_atomically(lock_file, [prepared.lock.to_yaml().encode()])
        write_atomically(self._dir / "prompts.json", [orjson.dumps(prepared.prompts, option=orjson.OPT_INDENT_2)])
        if not begun:
            store.set_meta({"started": str(time.time())})
        store.prepare_resume()
        store.set_meta({"recipe_folder": str(self._loaded.base.resolve())})

    async def _carry_out(self, store: Store, prepared: Prepared) -> tuple[Ending, Json]:
        await _note_estimate(store, prepared)
        usage, cost = store.spent()
        budget = Budget(self._recipe.budget, usage=usage, usd=cost)
        accounts = Accounts(budget, _Watched(store, self._listener))
        self._embeddings = open_embeddings(self._recipe.diversity, self._loaded.base, store, accounts)
        try:
            return await self._carry_out_lines(
                store, make_lines(prepared, store, self._embeddings, self._listener), budget
            )
        finally:
            if self._embeddings is not None:
                await self._embeddings.aclose()

    async def _carry_out_lines(self, store: Store, lines: list[Line], budget: Budget) -> tuple[Ending, Json]:
        recipe = self._recipe
        usage, cost = store.spent()
        self._listener(
            RunStarted(
                name=recipe.name,
                run_dir=self._dir,
                requested={line.spec.id: line.spec.count for line in lines},
                accepted={line.spec.id: line.accepted for line in lines},
                attempts={line.spec.id: line.decided for line in lines},
                usage=usage,
                cost_usd=cost,
            )
        )
        if all(line.done for line in lines):
            return Ending("complete"), _calls(store, None)
        with _signals(self._interrupt):
            return await self._with_models(lines, store, budget)

    async def _with_models(self, lines: list[Line], store: Store, budget: Budget) -> tuple[Ending, Json]:
        recipe = self._recipe
        if self._interrupted.is_set():
            return _INTERRUPTED, _calls(store, None)
        self._task = asyncio.current_task()
        caller: JournaledCaller | None = None
        try:
            async with (
                open_models(
                    recipe.models,
                    base=self._loaded.base,
                    run_dir=self._dir,
                    decoding=decoding_models(recipe),
                    seconds_left=budget.seconds_left,
                    report=self._listener,
                ) as models,
                open_cache(recipe.cache, report=self._listener) as cache,
                open_tracing(self._listener) as tracing,
                AsyncExitStack() as stack,
            ):
                for line in lines:
                    if isinstance(line.generator, Opened):
                        await stack.enter_async_context(line.generator.opened())
                journal = _Watched(store, self._listener)
                caller = JournaledCaller(models, journal, budget=budget, cache=cache, tracing=tracing)
                places = _PLACES_PER_CONNECTION * sum(spec.concurrency for spec in recipe.models.values())
                self._runner = Runner(lines, caller, store, self._listener, places)
                ending = await self._runner.run()
        except asyncio.CancelledError:
            if not self._interrupted.is_set():
                raise
            ending = _INTERRUPTED
        except RunError as error:
            ending = _failed(error)
        return ending, _calls(store, caller)

    def _interrupt(self) -> None:
        if not self._interrupted.is_set():
            self._listener(Stopping("interrupted"))
        self._interrupted.set()
        if self._runner is not None:
            self._runner.interrupt()
        elif self._task is not None:
            self._task.cancel()


def _failed(error: RunError) -> Ending:
    return Ending("failed", error.message, error.hint, error.exit_code)


def _runs_programs(spec: GeneratorSpec) -> bool:
    """Whether it may run what a model wrote."""
    if isinstance(spec, CustomSpec):
        return any(step.check is not None for step in spec.steps)
    return isinstance(spec, SolvedSpec)


async def _note_estimate(store: Store, prepared: Prepared) -> None:
    """Keep what was expected of this run before it began, to be shown beside what it took; anew for new counts."""
    counts = orjson.dumps([(spec.id, spec.count) for spec in prepared.loaded.recipe.generate]).decode()
    if store.meta().get("estimated_for") != counts:
        expected = await estimate(prepared)
        store.set_meta({"estimated_for": counts, "estimate": orjson.dumps(expected.to_dict()).decode()})


class _Watched:
    """The journal, and whoever watches the run is told of every answer that is in it."""

    def __init__(self, journal: Journal, listener: Listener) -> None:
        self._journal = journal
        self._listener = listener

    async def find_call(self, call_id: str, fingerprint: str, request: Request) -> CallRecord | None:
        record = await self._journal.find_call(call_id, fingerprint, request)
        if record is not None:
            self._tell(record, "replayed")
        return record

    async def record_call(self, record: CallRecord) -> None:
        await self._journal.record_call(record)
        self._tell(record, record.source)

    def _tell(self, record: CallRecord, source: str) -> None:
        generator = generator_of(record.unit)
        self._listener(CallFinished(generator, record.model, record.usage, record.cost_usd, record.seconds, source))


def _calls(store: Store, caller: JournaledCaller | None) -> Json:
    """The counts of the contract: what was ever sent in this run, and what this invocation replayed and gave up."""
    sent, retried = store.call_counts()
    return {
        "sent": sent,
        "retried": retried,
        "replayed": caller.counts.replayed if caller else 0,
        "failed": caller.counts.failed if caller else 0,
        "unpriced": store.unpriced(),
    }


@contextmanager
def _signals(interrupt: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C, a polite kill and a closed terminal end the run resumable; only the main thread can be asked so."""
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored, and wants it so
        signals.append(signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
