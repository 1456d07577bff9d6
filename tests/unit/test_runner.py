"""The runner against generators whose every outcome is known beforehand."""

import asyncio
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.agents.context import UnitContext
from synth.diversity.novelty import Novelty
from synth.errors import (
    BudgetSpent,
    EndpointUnavailable,
    FatalModelError,
    Rejected,
    ResponseError,
    SynthError,
    TransientError,
)
from synth.events import Event, UnitDecided, ignore
from synth.example import Draft, Seed, Verdict
from synth.line import Line
from synth.messages import Message, StopReason, Usage
from synth.models.caller import Caller, CallRecord
from synth.models.client import Request, Response, Sampling
from synth.plan import Plan
from synth.prompts import PromptError
from synth.recipe.diversity import DiversitySpec
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.kinds.solved import CotSpec
from synth.recipe.models import ModelSpec
from synth.recipe.schema import Recipe
from synth.runner import Ending, Runner
from synth.store import Progress, Store

Outcome = Callable[[int], str]


class EchoCaller:
    """Answers with the request's last message, after a random while; journals like the real one."""

    def __init__(self, store: Store, *, jitter: random.Random | None = None, stop_after: int | None = None) -> None:
        self.store = store
        self.sent: list[str] = []
        self.replayed = 0
        self._jitter = jitter
        self._stop_after = stop_after

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        call_id, fingerprint = f"{unit}/{key}", request.fingerprint(model)
        known = await self.store.find_call(call_id, fingerprint, request)
        if known is not None:
            self.replayed += 1
            return known
        if self._stop_after is not None and len(self.sent) >= self._stop_after:
            raise BudgetSpent("tokens", "the budget is spent")
        self.sent.append(call_id)
        if self._jitter is not None:
            await asyncio.sleep(self._jitter.random() / 500)
        answer = Response(Message("assistant", request.messages[-1].content), Usage(3, 2), StopReason.STOP, model)
        record = CallRecord(call_id, unit, model, fingerprint, request, answer, 0.0, 0.001, 1, "sent")
        await self.store.record_call(record)
        return record

    async def finish(self) -> None:
        pass


class Scripted:
    """Two calls a unit, then what ``outcome`` says of its index: a text, or ``!gate`` to be rejected."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    async def make(self, context: UnitContext) -> Draft:
        index = context.unit.index
        for step in range(2):
            request = Request((Message("user", f"unit {index} step {step}"),), Sampling(), sample=str(index))
            await context.call("m", request, f"ask.{step}")
        text = self._outcome(index)
        if text == "!crash":
            raise KeyError("a defect in the user's own kind")
        if text == "!fatal":
            raise FatalModelError("the key is wrong", hint="mend it")
        if text.startswith("!"):
            raise Rejected(text[1:], f"unit {index} is bad", text="bad")
        return Draft((Message("user", "q"), Message("assistant", text)), text)


def words(index: int) -> str:
    return f"example number {index} says something of its own " + " ".join(f"w{index}x{i}" for i in range(8))


def make_line(
    count: int, outcome: Outcome, store: Store, *, attempts: float = 5, novelty: bool = True, name: str = "g"
) -> Line:
    spec: GeneratorSpec = CotSpec(kind="cot", id=name, count=count)
    recipe = Recipe(name="t", seed=7, models={"m": ModelSpec(provider="scripted")}, generate=[spec])
    known = store.progress().get(name, Progress())
    filter_ = Novelty(DiversitySpec(), (), store.accepted_texts(name)) if novelty else None
    history = store.rejections_of(name)
    return Line(spec, Plan(recipe, spec, ()), Scripted(outcome), filter_, known, attempts, history)


async def run_once(
    path: Path,
    count: int,
    outcome: Outcome,
    *,
    places: int = 4,
    seed: int | None = None,
    stop_after: int | None = None,
    attempts: float = 5,
    listener: Callable[[Event], None] = ignore,
) -> tuple[Ending, list[bytes], EchoCaller]:
    store = Store.open(path)
    try:
        store.prepare_resume()
        caller = EchoCaller(store, jitter=random.Random(seed) if seed is not None else None, stop_after=stop_after)
        line = make_line(count, outcome, store, attempts=attempts)
        ending = await Runner([line], caller, store, listener, places).run()
        await store.flush()
        return ending, list(store.accepted_rows("g")), caller
    finally:
        store.close()


async def test_makes_exactly_the_count_and_refills_what_is_rejected(tmp_path: Path) -> None:
    events: list[Event] = []
    ending, rows, _ = await run_once(
        tmp_path / "a.sqlite", 10, lambda i: "!form" if i % 3 == 1 else words(i), listener=events.append
    )
    assert ending == Ending("complete")
    assert [orjson.loads(row)["id"] for row in rows] == [f"g-{i:06d}" for i in range(15) if i % 3 != 1]
    decided = [event for event in events if isinstance(event, UnitDecided)]
    assert [event.unit for event in decided if event.gate == "form"] == [f"g-{i:06d}" for i in (1, 4, 7, 10, 13)]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from(["new", "copy", "!form"]), min_size=40, max_size=40),
    st.integers(0, 2**32),
    st.sampled_from([2, 5, 16]),
)
def test_the_dataset_does_not_depend_on_concurrency_or_on_the_order_of_completion(
    tmp_path_factory: pytest.TempPathFactory, outcomes: list[str], seed: int, places: int
) -> None:
    folder = tmp_path_factory.mktemp("order")

    def outcome(index: int) -> str:
        kind = outcomes[index]
        return words(index) if kind == "new" else words(0) if kind == "copy" else kind

    async def both() -> tuple[list[bytes], list[bytes]]:
        _, alone, _ = await run_once(folder / "1.sqlite", 8, outcome, places=1)
        _, many, _ = await run_once(folder / "n.sqlite", 8, outcome, places=places, seed=seed)
        return alone, many

    alone, many = asyncio.run(both())
    assert alone == many


async def test_a_run_stopped_by_its_budget_resumes_without_asking_again(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    whole, expected, _ = await run_once(tmp_path / "whole.sqlite", 12, words, seed=1)
    assert whole.status == "complete"
    ending, rows, first = await run_once(path, 12, words, places=6, seed=2, stop_after=11)
    assert (ending.status, ending.exit_code) == ("short", 3)
    assert 1 <= len(rows) < 12
    ending, rows, second = await run_once(path, 12, words, places=3, seed=3)
    assert ending.status == "complete"
    assert rows == expected
    assert not set(first.sent) & set(second.sent)
    assert len(first.sent) + len(second.sent) == 24


async def test_a_complete_run_calls_nobody_when_run_again(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    _, expected, _ = await run_once(path, 5, words)
    ending, rows, caller = await run_once(path, 5, words)
    assert (ending.status, rows, caller.sent) == ("complete", expected, [])


async def test_a_raised_count_goes_on_where_the_run_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    _, five, _ = await run_once(path, 5, words)
    _, nine, caller = await run_once(path, 9, words)
    assert nine[:5] == five
    assert len(nine) == 9
    assert not any(call.startswith(tuple(f"g-{i:06d}" for i in range(5))) for call in caller.sent)


async def test_attempts_run_out(tmp_path: Path) -> None:
    ending, rows, _ = await run_once(tmp_path / "a.sqlite", 4, lambda i: words(i) if i == 2 else "!form", attempts=3)
    assert (ending.status, ending.exit_code, len(rows)) == ("short", 3, 1)
    assert "'g' has 1 of 4 after 12 attempts (11 lost to form, the latest: " in ending.message


async def test_near_duplicates_are_rejected_in_plan_order(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    _, rows, _ = await run_once(path, 3, lambda i: words(i // 2), seed=5)
    assert [orjson.loads(row)["id"] for row in rows] == ["g-000000", "g-000002", "g-000004"]
    store = Store.open(path)
    rejected = [orjson.loads(row) for row in store.rejected_rows("g")]
    store.close()
    assert [row["gate"] for row in rejected] == ["novelty", "novelty"]
    assert "g-000000" in rejected[0]["reason"]


class Steered(Scripted):
    """Says the same of all seeds until it is told what to differ from."""

    async def make(self, context: UnitContext) -> Draft:
        await super().make(context)
        unit = context.unit
        assert unit.seed is not None
        text = words(int(unit.seed.id)) if unit.avoid else "the very same sentence about a lost parcel"
        return Draft((Message("user", "q"), Message("assistant", text)), text)


async def test_what_is_too_close_is_tried_again_and_told_so_the_same_when_resumed(tmp_path: Path) -> None:
    seeds = tuple(Seed(str(number), {}) for number in range(30))

    async def make(path: Path, places: int, stop_after: int | None = None) -> list[bytes]:
        store = Store.open(path)
        store.prepare_resume()
        spec = CotSpec(kind="cot", id="g", count=6)
        recipe = Recipe(
            name="t", models={"m": ModelSpec(provider="scripted")}, generate=[spec], axes={"mood": ["calm", "angry"]}
        )
        known = store.progress().get("g", Progress())
        novelty = Novelty(DiversitySpec(), seeds, store.accepted_texts("g"), keep_texts=True)
        line = Line(
            spec, Plan(recipe, spec, seeds), Steered(words), novelty, known, 5, history=store.rejections_of("g")
        )
        caller = EchoCaller(store, jitter=random.Random(places), stop_after=stop_after)
        await Runner([line], caller, store, ignore, places).run()
        await store.flush()
        rows = [*store.accepted_rows("g"), *store.rejected_rows("g")]
        store.close()
        return rows

    alone = await make(tmp_path / "1.sqlite", 1)
    assert [orjson.loads(row)["id"] for row in alone] == [f"g-{i:06d}" for i in (0, *range(6, 11), *range(1, 6))]
    assert await make(tmp_path / "n.sqlite", 8) == alone
    await make(tmp_path / "r.sqlite", 3, stop_after=13)
    assert await make(tmp_path / "r.sqlite", 2) == alone


async def test_what_no_retry_can_mend_stops_the_run_at_once(tmp_path: Path) -> None:
    ending, rows, _ = await run_once(tmp_path / "a.sqlite", 50, lambda i: "!fatal" if i == 9 else words(i))
    assert (ending.status, ending.exit_code, ending.message, ending.hint) == (
        "failed",
        1,
        "the key is wrong",
        "mend it",
    )
    assert len(rows) < 50


async def test_a_kind_that_crashes_ends_its_attempt_only(tmp_path: Path) -> None:
    ending, rows, _ = await run_once(tmp_path / "a.sqlite", 5, lambda i: "!crash" if i in (1, 3) else words(i))
    assert (ending.status, len(rows)) == ("complete", 5)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("!crash", 'KeyError: "a defect in the user\'s own kind"'), ("!template", "unit 19 is bad")],
)
async def test_a_kind_that_always_fails_stops_the_run(tmp_path: Path, outcome: str, reason: str) -> None:
    ending, _, _ = await run_once(tmp_path / "a.sqlite", 50, lambda i: outcome)
    assert ending.status == "failed"
    assert ending.message == f"generator 'g' failed 20 times in a row: {reason}"


async def test_an_interrupted_run_keeps_what_is_complete_and_resumes_to_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    _, expected, _ = await run_once(tmp_path / "whole.sqlite", 30, words)
    store = Store.open(path)
    store.prepare_resume()
    caller = EchoCaller(store, jitter=random.Random(4))
    runner = Runner([make_line(30, words, store)], caller, store, ignore, 5)
    task = asyncio.create_task(runner.run())
    while len(caller.sent) < 20:  # noqa: ASYNC110 - the caller under test has no event to wait for
        await asyncio.sleep(0.001)
    runner.interrupt()
    ending = await task
    await store.flush()
    store.close()
    assert (ending.status, ending.exit_code) == ("interrupted", 130)
    ending, rows, second = await run_once(path, 30, words, seed=9)
    assert (ending.status, rows) == ("complete", expected)
    assert len(caller.sent) + len(second.sent) <= 60 + 5


class Withholding(EchoCaller):
    """Answers all units but one; ``fails``: says so in the end, instead of leaving it waiting."""

    def __init__(self, store: Store, unit: str, fails: SynthError | None) -> None:
        super().__init__(store)
        self.enough = asyncio.Event()
        self._unit = unit
        self._fails = fails

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        if unit == self._unit:
            await self.enough.wait()
            if self._fails is None:
                await asyncio.Event().wait()
            else:
                raise self._fails
        return await super().call(model, request, unit=unit, key=key)


@pytest.mark.parametrize(
    ("fails", "status", "exit_code"),
    [
        (None, "interrupted", 130),
        (BudgetSpent("tokens", "the budget is spent"), "short", 3),
        (EndpointUnavailable("it asks to wait for two hours"), "short", 3),
    ],
    ids=["interrupted", "spent", "unavailable"],
)
async def test_a_run_with_a_gap_is_not_complete_whatever_stands_behind_it(
    tmp_path: Path, fails: SynthError | None, status: str, exit_code: int
) -> None:
    path = tmp_path / "a.sqlite"

    def outcome(index: int) -> str:
        return "!form" if index < 8 else words(index)

    _, expected, whole = await run_once(tmp_path / "whole.sqlite", 4, outcome)
    store = Store.open(path)
    store.prepare_resume()
    caller = Withholding(store, "g-000009", fails)
    line = make_line(4, outcome, store)
    runner = Runner([line], caller, store, ignore, 8)
    task = asyncio.create_task(runner.run())
    while len(line.finished) < 6:  # noqa: ASYNC110 - the line under test has no event to wait for
        await asyncio.sleep(0.001)
    caller.enough.set()
    if fails is None:
        runner.interrupt()
    ending = await task
    await store.flush()
    shown = [orjson.loads(row)["id"] for row in store.accepted_rows("g")]
    store.close()
    assert (ending.status, ending.exit_code) == (status, exit_code)
    assert shown == ["g-000008", "g-000010", "g-000011", "g-000012"]
    ending, rows, second = await run_once(path, 4, outcome)
    assert (ending.status, rows) == ("complete", expected)
    assert not set(caller.sent) & set(second.sent)
    assert "g-000009/ask.0" in second.sent
    assert whole.replayed == 0


class Once(Scripted):
    """Does what it is given to do for unit 1."""

    def __init__(self, act: Callable[[], dict[str, Any]], text: str = "") -> None:
        super().__init__(words)
        self._act = act
        self._text = text

    async def make(self, context: UnitContext) -> Draft:
        draft = await super().make(context)
        if context.unit.index != 1:
            return draft
        return Draft(draft.messages, self._text or draft.text, extra=self._act())


def raising(error: Exception) -> Callable[[], dict[str, Any]]:
    def act() -> dict[str, Any]:
        raise error

    return act


@pytest.mark.parametrize(
    ("kind", "gate", "told"),
    [
        (Once(raising(ResponseError("it was cut off", kind="length", text="half"))), "length", "it was cut off"),
        (Once(raising(TransientError("no answer", kind="timeout"))), "model", "no answer"),
        (Once(raising(PromptError("'topic' is undefined"))), "error", "PromptError: 'topic' is undefined"),
        (Once(raising(ValueError("half a character: \ud83d"))), "error", "ValueError: half a character: ?"),
        (Once(raising(Rejected("form", "bad", text="\ud83d"))), "error", "surrogates not allowed"),
        (Once(lambda: {"price": Decimal("1.5")}), "error", "not JSON serializable: decimal.Decimal"),
        (Once(lambda: {"large": 2**70}), "error", "Integer exceeds 64-bit range"),
        (Once(lambda: {"said": "\ud83d"}), "error", "surrogates not allowed"),
        (Once(dict, "half a character: \ud83d"), "error", "surrogates not allowed"),
    ],
    ids=["answer", "transient", "prompt", "reason", "text", "decimal", "large", "surrogate", "compared"],
)
async def test_what_a_kind_cannot_make_ends_its_attempt_only(tmp_path: Path, kind: Once, gate: str, told: str) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    line = make_line(3, words, store)
    line.generator = kind
    ending = await Runner([line], EchoCaller(store), store, ignore, 4).run()
    await store.flush()
    rejected = [orjson.loads(row) for row in store.rejected_rows("g")]
    assert ending == Ending("complete")
    assert [(row["id"], row["gate"]) for row in rejected] == [("g-000001", gate)]
    assert told in rejected[0]["reason"]
    assert len(list(store.accepted_rows("g"))) == 3
    store.close()


class Deciding(Novelty):
    """Takes its time over the first block, until another line's unit is finished."""

    def __init__(self, until: Callable[[], bool]) -> None:
        super().__init__(DiversitySpec(), (), ())
        self._until = until

    async def judge(self, drafts: Any) -> list[Verdict | None]:
        while not self._until():  # noqa: ASYNC110 - the line under test has no event to wait for
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)
        return await super().judge(drafts)


async def test_what_ends_while_another_line_is_decided_does_not_end_the_run(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    decides = asyncio.Event()

    class Late(Scripted):
        async def make(self, context: UnitContext) -> Draft:
            await decides.wait()
            return await super().make(context)

    first = make_line(1, lambda index: words(index) if index else "!form", store, name="a")
    first.generator = Late(lambda index: words(index) if index else "!form")
    second = make_line(1, words, store, name="b")

    def first_is_made() -> bool:
        decides.set()
        return 0 in first.finished or first.decided > 0

    second.novelty = Deciding(first_is_made)
    ending = await asyncio.wait_for(Runner([first, second], EchoCaller(store), store, ignore, 2).run(), 10)
    assert ending == Ending("complete")
    assert (first.decided, second.decided) == (2, 1)
    store.close()


async def test_a_line_whose_endpoint_is_out_leaves_the_start_of_others_alone(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    out, slow = make_line(2, words, store, name="a"), make_line(2, words, store, name="b")
    start = slow.start

    async def refuse(caller: Caller) -> None:
        raise EndpointUnavailable("it asks to wait for two hours")

    async def start_late(caller: Caller) -> None:
        await asyncio.sleep(0.02)
        await start(caller)

    out.start, slow.start = refuse, start_late  # type: ignore[method-assign]
    ending = await Runner([out, slow], EchoCaller(store), store, ignore, 4).run()
    assert (ending.status, ending.exit_code, ending.message) == ("short", 3, "it asks to wait for two hours")
    assert (out.accepted, slow.accepted) == (0, 2)
    store.close()


async def test_a_run_that_fails_as_it_starts_waits_for_all_that_it_began(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    wrong, slow = make_line(2, words, store, name="a"), make_line(2, words, store, name="b")
    ended = False

    async def refuse(caller: Caller) -> None:
        await asyncio.sleep(0.001)
        raise FatalModelError("the key is wrong")

    async def end_late(caller: Caller) -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.02)
            ended = True

    wrong.start, slow.start = refuse, end_late  # type: ignore[method-assign]
    ending = await Runner([wrong, slow], EchoCaller(store), store, ignore, 4).run()
    assert (ending.status, ending.message, ended) == ("failed", "the key is wrong", True)
    store.close()


@pytest.mark.parametrize("interrupted", [False, True])
async def test_a_run_that_fails_keeps_the_answers_under_way_unless_it_is_interrupted(
    tmp_path: Path, interrupted: bool
) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    answered = asyncio.Event()

    class Slow(EchoCaller):
        async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
            if unit.startswith("b"):
                await answered.wait()
            return await super().call(model, request, unit=unit, key=key)

        async def finish(self) -> None:
            if interrupted:
                runner.interrupt()
                await asyncio.Event().wait()
            answered.set()
            while len(self.sent) < 6:  # noqa: ASYNC110 - two of the line that fails, two of each unit of the other
                await asyncio.sleep(0.001)

    lines = [make_line(1, lambda _: "!fatal", store, name="a"), make_line(2, words, store, name="b")]
    caller = Slow(store)
    runner = Runner(lines, caller, store, ignore, 3)
    ending = await asyncio.wait_for(runner.run(), 10)
    assert (ending.status, len(caller.sent)) == (("interrupted", 2) if interrupted else ("failed", 6))
    store.close()


async def test_a_unit_that_is_dropped_before_it_began_is_not_waited_for(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    line = make_line(1, words, store)
    runner = Runner([line], EchoCaller(store), store, ignore, 2)
    runner._start(line)
    for task in line.running.values():
        task.cancel()
    await asyncio.sleep(0.001)
    assert (line.running, runner._in_flight) == ({}, 0)
    store.close()


async def test_a_store_that_cannot_be_written_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path / "a.sqlite")
    commit = Store._commit

    def fail(self: Store, group: Any) -> None:
        if group.attempts and not group.calls:
            raise OSError(28, "No space left on device")
        commit(self, group)

    monkeypatch.setattr(Store, "_commit", fail)

    class Slow(EchoCaller):
        async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
            await asyncio.sleep(0.02)  # so that the decision before is committed by itself
            return await super().call(model, request, unit=unit, key=key)

    ending = await Runner([make_line(6, words, store)], Slow(store), store, ignore, 1).run()
    assert (ending.status, ending.exit_code) == ("failed", 1)
    assert "is full" in ending.message
    monkeypatch.undo()
    store.close()
    ending, rows, _ = await run_once(tmp_path / "a.sqlite", 6, words)
    assert (ending.status, len(rows)) == ("complete", 6)
