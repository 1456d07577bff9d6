from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from synth.errors import TransientError
from synth.messages import Message
from synth.models.caller import CallRecord, UnusableAnswer
from synth.models.client import Request, Sampling
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.recipe.models import ModelSpec
from tests.memory_journal import MemoryJournal


def ask(text: str) -> Request:
    return Request((Message("user", text),), Sampling())


@pytest.fixture
def rules(tmp_path: Path) -> ModelSpec:
    (tmp_path / "a.yaml").write_text(
        "[{match: cut, answer: cut o, stop: length}, {match: none, answer: ' '}, "
        "{match: filter, answer: x, stop: content_filter}, "
        "{match: dead, error: {kind: malformed}}, {match: flaky, error: {kind: malformed, times: 2}, answer: ok}, "
        "{rule: echo}]"
    )
    return ModelSpec(provider="scripted", answers="a.yaml")


async def test_an_answer_is_journaled_and_then_replayed(tmp_path: Path) -> None:
    journal = MemoryJournal()
    async with open_models({"m": ModelSpec(provider="scripted")}, base=tmp_path, run_dir=tmp_path) as models:
        caller = JournaledCaller(models, journal)
        first = await caller.call("m", ask("hello"), unit="g-000000", key="solve.0")
        again = await caller.call("m", ask("hello"), unit="g-000000", key="solve.0")
        other = await caller.call("m", ask("hello!"), unit="g-000000", key="solve.0")
    assert first is again
    assert (first.id, first.model, first.tries, first.source, first.cost_usd) == ("g-000000/solve.0", "m", 1, "sent", 0)
    assert other.response.message.content == "hello!"
    assert (caller.counts.sent, caller.counts.replayed) == (2, 1)


async def test_answers_that_are_not_in_the_journal_yet_count_as_in_flight(tmp_path: Path) -> None:
    class Slow(MemoryJournal):
        def __init__(self) -> None:
            super().__init__()
            self.arrived = 0
            self.disk = asyncio.Event()

        async def record_call(self, record: CallRecord) -> None:
            self.arrived += 1
            await self.disk.wait()
            await super().record_call(record)

    journal = Slow()
    spec = ModelSpec(provider="scripted", concurrency=3)
    async with open_models({"m": spec}, base=tmp_path, run_dir=tmp_path) as models:
        caller = JournaledCaller(models, journal)
        calls = [asyncio.create_task(caller.call("m", ask(str(n)), unit="u", key=str(n))) for n in range(8)]
        await asyncio.sleep(0.05)
        assert (journal.arrived, caller.counts.sent) == (3, 3)  # what a kill could lose now
        journal.disk.set()
        await asyncio.gather(*calls)
    assert len(journal.records) == 8


@pytest.mark.parametrize(("text", "kind"), [("cut", "length"), ("none", "empty"), ("filter", "content_filter")])
async def test_what_is_no_whole_answer_is_journaled_first_and_then_refused(
    tmp_path: Path, rules: ModelSpec, text: str, kind: str
) -> None:
    journal = MemoryJournal()
    async with open_models({"m": rules}, base=tmp_path, run_dir=tmp_path) as models:
        caller = JournaledCaller(models, journal)
        for _ in range(2):
            with pytest.raises(UnusableAnswer) as caught:
                await caller.call("m", ask(text), unit="u", key="k")
            assert caught.value.kind == kind
            assert [caught.value.record] == list(journal.records.values())
    assert (caller.counts.sent, caller.counts.replayed) == (1, 1)


async def test_failures_are_tried_again_up_to_a_bound(tmp_path: Path, rules: ModelSpec) -> None:
    async with open_models({"m": rules}, base=tmp_path, run_dir=tmp_path) as models:
        caller = JournaledCaller(models, MemoryJournal())
        record = await caller.call("m", ask("flaky"), unit="u", key="k")
        assert record.tries == 3
        with pytest.raises(TransientError) as caught:
            await caller.call("m", ask("dead"), unit="u", key="k")
    assert caught.value.kind == "malformed"
    assert (caller.counts.sent, caller.counts.retried, caller.counts.failed) == (1, 2, 1)
