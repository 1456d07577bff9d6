"""An endpoint whose chat completions go out in batches: slower by hours, cheaper by half.

Whoever asks waits as for any answer. Requests that come within a short while of each other go out together, so the
most in flight at once is the largest batch. A batch that a killed run left behind is taken up by the run that resumes
it; what a batch leaves unanswered goes out again in the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from synth.errors import BudgetSpent, FatalModelError, SynthError, TransientError
from synth.messages import Json
from synth.models.batch.api import ENDPOINT, BatchApi, BatchState, NotFound
from synth.models.batch.ledger import Ledger
from synth.models.endpoint import MAX_ANSWER_BYTES, Endpoint, parse_json
from synth.models.http_errors import error_of_status
from synth.models.progress import ModelState, Report, Warned, ignore

QUIET_SECONDS = 2.0
"""After so long without a further request a batch is complete."""
FIRST_POLL_SECONDS = 2.0
_POLL_GROWTH = 1.3
_LONGEST_POLL_SECONDS = 60.0
_MOST_BYTES = 190 * 2**20  # the API takes 200 MB
_MOST_ROUNDS = 4
_CLOSING_SECONDS = 15.0
_LOST_POLLS = 60  # in a row, each with retries of its own: an hour
_QUOTA = "token_limit_exceeded"
_QUOTA_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class _Item:
    """One request; ``rounds`` counts the batches that it went out in."""

    id: str
    model: str
    body: bytes
    answer: asyncio.Future[Json]
    rounds: int = 0

    @property
    def line(self) -> bytes:
        head = f'{{"custom_id":"{self.id}","method":"POST","url":"{ENDPOINT}","body":'
        return head.encode() + self.body + b"}\n"


class BatchEndpoint(Endpoint):
    """``name`` is the recipe's model, for progress; ``most`` requests go into one batch; ``ledger`` is a file in the
    run folder; ``seconds_left`` tells how long the run may still last. Raises what :class:`Endpoint` does, and
    ``BudgetSpent``.
    """

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        most: int,
        ledger: Path | None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        seconds_left: Callable[[], float] = lambda: math.inf,
        report: Report = ignore,
    ) -> None:
        super().__init__(base_url, api_key=api_key, headers=headers)
        given = {name: value for name, value in self._headers.items() if name != "Content-Type"}
        self._api = BatchApi(self.base_url, where=self.where, scrub=self.scrub, api_key=api_key, headers=given)
        self._name = name
        self._most = most
        self._seconds_left = seconds_left
        self._report = report
        self._ledger = Ledger(ledger)
        self._live: set[str] = set()
        self._waiting: list[_Item] = []
        self._arrival = asyncio.Event()
        self._collector: asyncio.Task[None] | None = None
        self._batches: dict[str, dict[str, _Item]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._creations: set[asyncio.Task[str]] = set()
        self._left_over: dict[str, Json] = {}  # answers of taken-up batches that nobody has asked for yet
        self._progress: dict[str, tuple[int, int]] = {}

    async def chat(self, body: bytes, *, model: str, sample: str = "", max_bytes: int = MAX_ANSWER_BYTES) -> Json:
        """The answer, when the batch that the request went out in has ended."""
        item = _Item(self._free_id(body, sample), model, body, asyncio.get_running_loop().create_future())
        self._live.add(item.id)
        try:
            if item.id in self._left_over:
                self._settle(item, self._left_over.pop(item.id))
            elif (batch := self._ledger.find(item.id)) is not None:
                self._take_up(batch, item)
            else:
                self._send(item)
            return await item.answer
        finally:
            self._live.discard(item.id)

    async def aclose(self) -> None:
        """Cancel what is under way: what has been answered by then is found when the run is resumed."""
        tasks = [*self._tasks, *([self._collector] if self._collector is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await asyncio.gather(*self._creations, return_exceptions=True)
                await asyncio.gather(*(self._api.cancel(batch) for batch in self._batches))
        except (TimeoutError, SynthError):
            self._report(Warned(f"not all of these could be cancelled at {self.where}: {', '.join(self._batches)}"))
        await self._api.aclose()
        await super().aclose()

    def _free_id(self, body: bytes, sample: str) -> str:
        """An id that a resumed run comes to as well; the like of it that wait together are numbered."""
        stem = sha256(body + b"\n" + sample.encode()).hexdigest()[:40]
        number = 0
        while f"{stem}-{number}" in self._live:
            number += 1
        return f"{stem}-{number}"

    # -- out

    def _send(self, item: _Item) -> None:
        self._waiting.append(item)
        self._arrival.set()
        if self._collector is None or self._collector.done():
            self._collector = asyncio.create_task(self._collect())

    async def _collect(self) -> None:
        while self._waiting:
            await self._until_quiet()
            items = self._take()
            if items:
                self._start(self._carry_out(items))

    async def _until_quiet(self) -> None:
        with contextlib.suppress(TimeoutError):
            while len(self._waiting) < self._most:
                self._arrival.clear()
                async with asyncio.timeout(QUIET_SECONDS):
                    await self._arrival.wait()

    def _take(self) -> list[_Item]:
        """The next batch: in the order they came, as many as may go together."""
        taken: list[_Item] = []
        size = 0
        waiting = [item for item in self._waiting if not item.answer.done()]
        for item in waiting[: self._most]:
            size += len(item.body)
            if taken and size > _MOST_BYTES:
                break
            taken.append(item)
        self._waiting = waiting[len(taken) :]
        return taken

    async def _carry_out(self, items: list[_Item]) -> None:
        with _failing(items):
            file = await self._api.upload(b"".join(item.line for item in items))
            creation = asyncio.create_task(self._create(file, items))
            self._creations.add(creation)
            creation.add_done_callback(self._creations.discard)
            batch = await asyncio.shield(creation)  # what is created must be known, or it could not be cancelled
            await self._follow(batch, taken_up=False)

    async def _create(self, file: str, items: list[_Item]) -> str:
        batch = await self._api.create(file)
        self._batches[batch] = {item.id: item for item in items}
        for item in items:
            item.rounds += 1
        self._ledger.note(batch, [item.id for item in items])
        return batch

    def _take_up(self, batch: str, item: _Item) -> None:
        """Wait for a batch that an earlier process handed in."""
        if batch in self._batches:
            self._batches[batch][item.id] = item
            return
        items = self._batches[batch] = {item.id: item}

        async def follow() -> None:
            with _failing(items.values()):
                await self._follow(batch, taken_up=True)

        self._start(follow())

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- back

    async def _follow(self, batch: str, *, taken_up: bool) -> None:
        """Wait until the batch has ended, and give everyone who waits for it what came."""
        items = self._batches[batch]
        try:
            state = await self._wait(batch)
            self._batches.pop(batch, None)
            self._tell(batch, None)
            if state.status == "failed":
                raise self._refusal(state)
            for file in state.files:
                self._hand_out(await self._api.read(file), items, keep=taken_up)
            cancelled = state.status == "cancelled"
        except NotFound:
            if not taken_up:
                raise
            self._batches.pop(batch, None)
            self._tell(batch, None)
            self._report(Warned(f"batch {batch} is no longer at {self.where}: what it did not answer goes out again"))
            cancelled = False
        self._ledger.forget(batch)
        if cancelled and not taken_up:
            raise FatalModelError(
                f"batch {batch} at {self.where} was cancelled by someone else",
                hint="run the same command again: it resumes",
            )
        for item in items.values():
            self._send_again(item, TransientError(f"batch {batch} ended without an answer", kind="timeout"))

    def _hand_out(self, lines: Iterable[bytes], items: dict[str, _Item], *, keep: bool) -> None:
        """``keep``: answers that nobody has asked for yet may still be. A line that cannot be read answers nothing."""
        for line in lines:
            try:
                answer = parse_json(line.decode(errors="replace").encode())
            except (ValueError, RecursionError):
                continue
            name = answer.get("custom_id") if isinstance(answer, dict) else None
            if not isinstance(name, str):
                continue
            if (item := items.pop(name, None)) is not None:
                self._settle(item, answer)
            elif keep:
                self._left_over[name] = answer

    async def _wait(self, batch: str) -> BatchState:
        pause, failures, cancelled = FIRST_POLL_SECONDS, 0, False
        while True:
            try:
                state = await self._api.look(batch)
                failures = 0
            except TransientError:
                failures += 1
                if failures == _LOST_POLLS:
                    raise
            else:
                self._tell(batch, state)
                if state.ended:
                    return state
            if not cancelled and all(item.answer.done() for item in self._batches[batch].values()):
                cancelled = True  # nobody waits any more
                with contextlib.suppress(TransientError):
                    await self._api.cancel(batch)
            left = self._seconds_left()
            if left <= 0:
                raise BudgetSpent("minutes", "budget.minutes is over")
            await asyncio.sleep(min(pause, left))
            pause = min(_LONGEST_POLL_SECONDS, pause * _POLL_GROWTH)

    def _settle(self, item: _Item, line: Json) -> None:
        if item.answer.done():
            return
        response = line.get("response")
        if not isinstance(response, dict):
            error = line.get("error")
            told = (error.get("message") if isinstance(error, dict) else error) or "no answer"
            self._send_again(item, TransientError(f"{self.where}, in a batch: {self.scrub(str(told))}", kind="timeout"))
            return
        status, body = response.get("status_code"), response.get("body")
        status = status if isinstance(status, int) else 200
        if status == 200 and isinstance(body, dict):
            item.answer.set_result(body)
            return
        said = orjson.dumps(body)
        failure = error_of_status(self.where, item.model, status, {}, said, at_start=False, scrub=self.scrub)
        if isinstance(failure, TransientError):
            self._send_again(item, failure)
        else:
            item.answer.set_exception(failure)

    def _send_again(self, item: _Item, error: TransientError) -> None:
        if item.answer.done():
            return
        if item.rounds < _MOST_ROUNDS:
            self._send(item)
        else:
            item.answer.set_exception(error)

    def _refusal(self, state: BatchState) -> SynthError:
        problem = self.scrub(state.problem or "it does not say why")
        if state.problem_code == _QUOTA:  # the next batch is smaller
            return TransientError(
                f"{self.where} has no room for the batch ({problem})", kind="rate_limited", retry_after=_QUOTA_SECONDS
            )
        return FatalModelError(f"{self.where} refuses the batch: {problem}")

    def _tell(self, batch: str, state: BatchState | None) -> None:
        before = dict(self._progress)
        if state is None:
            self._progress.pop(batch, None)
        else:
            total = state.total or len(self._batches.get(batch, ()))
            self._progress[batch] = state.answered, total
        if self._progress and self._progress != before:
            answered, total = (sum(numbers) for numbers in zip(*self._progress.values(), strict=True))
            self._report(ModelState(self._name, f"batch: {answered:,} of {total:,} answered"))


@contextlib.contextmanager
def _failing(items: Iterable[_Item]) -> Iterator[None]:
    """What is raised within is raised to everyone who still waits for one of ``items``."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a defect too: those who wait would wait for ever
        for item in items:
            if not item.answer.done():
                item.answer.set_exception(error)
