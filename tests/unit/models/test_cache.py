from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from synth.errors import UsageError
from synth.messages import Message, StopReason, Usage
from synth.models.cache import Cache, default_path, open_cache
from synth.models.client import Request, Response, Sampling
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.recipe.models import ModelSpec
from tests.memory_journal import MemoryJournal


def answer(text: str) -> Response:
    return Response(Message("assistant", text, reasoning="why"), Usage(3, 1), StopReason.STOP, "m")


async def test_an_answer_is_there_at_once_and_in_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "answers.sqlite"
    cache = Cache.open(path)
    assert cache.get("a") is None
    cache.put("a", answer("one"))
    assert cache.get("a") == answer("one")
    await cache.aclose()
    again = Cache.open(path)
    assert again.get("a") == answer("one")
    await again.aclose()


async def test_two_processes_share_the_file(tmp_path: Path) -> None:
    one, other = Cache.open(tmp_path / "c"), Cache.open(tmp_path / "c")
    for number in range(50):
        one.put(f"a{number}", answer("one"))
        other.put(f"a{number}", answer("other"))
    await asyncio.sleep(0.2)
    assert one.get("a7") == other.get("a7")
    await one.aclose()
    await other.aclose()


async def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_text("not a database, but long enough to be looked at " * 50)
    with pytest.raises(UsageError, match=r"the cache .* cannot be used: file is not a database") as caught:
        Cache.open(path)
    assert "SYNTH_CACHE" in caught.value.hint


async def test_the_users_folder_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_CACHE", str(tmp_path))
    assert default_path() == tmp_path / "answers.sqlite"
    async with open_cache(False) as none:
        assert none is None
    assert not default_path().exists()
    async with open_cache(True) as cache:
        assert cache is not None
        cache.put("a", answer("one"))
    assert default_path().exists()


async def test_another_run_pays_only_for_what_changed(tmp_path: Path) -> None:
    async def run(texts: list[str], model: ModelSpec) -> tuple[JournaledCaller, MemoryJournal]:
        cache, journal = Cache.open(tmp_path / "c"), MemoryJournal()
        async with open_models({"m": model}, base=tmp_path) as models:
            caller = JournaledCaller(models, journal, cache=cache)
            for number, text in enumerate(texts):
                request = Request((Message("user", text),), Sampling())
                await caller.call("m", request, unit=f"u{number}", key="k")
        await cache.aclose()
        return caller, journal

    echo = ModelSpec(provider="scripted", price={"input": 1e6, "output": 1e6})
    first, _ = await run(["a", "b"], echo)
    second, journal = await run(["b", "c"], echo)
    assert (first.counts.sent, first.counts.cached) == (2, 0)
    assert (second.counts.sent, second.counts.cached) == (1, 1)
    records = {record.source: record for record in journal.records.values()}
    assert records["cache"].cost_usd == 0
    assert records["cache"].response.message.content == "b"
    assert (records["sent"].cost_usd or 0) > 0
    third, _ = await run(["a"], ModelSpec(provider="scripted", model="another"))
    assert third.counts.cached == 0
