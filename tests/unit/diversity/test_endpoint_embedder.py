"""Embeddings from an endpoint that answers as it is told, in virtual time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import pytest

pytest.importorskip("numpy")

from synth.budget import Budget
from synth.diversity.endpoint_embedder import Accounts, EndpointEmbedder
from synth.errors import BudgetSpent, RunError, TransientError
from synth.messages import Json, Usage
from synth.models.endpoint import Endpoint
from synth.recipe.diversity import EmbedderSpec
from synth.recipe.schema import BudgetSpec
from tests.memory_journal import MemoryJournal
from tests.virtual_time import run_virtually

GOOD = {"data": [{"index": 0, "embedding": [1, 0]}], "usage": {"prompt_tokens": 3}}
USELESS = {"data": [], "usage": {"prompt_tokens": 1000}}


def now() -> float:
    return asyncio.get_running_loop().time()


class Embedding:
    """Embeds one text against what is next of ``answers``; ``ended`` is when it was over."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Json | TransientError) -> None:
        self._answers = deque(answers)
        self.journal = MemoryJournal()
        self.sent = 0
        self.ended = 0.0

        async def post(endpoint: Endpoint, path: str, body: bytes, **options: Any) -> Json:
            self.sent += 1
            answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
            if isinstance(answer, TransientError):
                raise answer
            return answer

        monkeypatch.setattr(Endpoint, "post", post)

    def run(self, **budget: Any) -> None:
        async def main() -> None:
            accounts = Accounts(Budget(BudgetSpec(**budget), clock=now), self.journal) if budget else None
            embedder = EndpointEmbedder(EmbedderSpec(provider="openai", model="e"), accounts)
            try:
                await embedder.embed(["red ant"])
            finally:
                self.ended = now()
                await embedder.aclose()

        run_virtually(main())

    @property
    def usage(self) -> list[tuple[Usage, int]]:
        return [(record.usage, record.tries) for record in self.journal.records.values()]


def busy(seconds: float) -> TransientError:
    return TransientError("busy", kind="rate_limited", retry_after=seconds)


def test_a_wait_longer_than_the_run_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    embedding = Embedding(monkeypatch, busy(600), GOOD)
    with pytest.raises(BudgetSpent, match=r"budget\.minutes ends before the embedder openai:e .* in 10 minutes"):
        embedding.run(minutes=5)
    assert embedding.ended == 0
    embedding = Embedding(monkeypatch, busy(600), GOOD)
    embedding.run(minutes=15)
    assert embedding.ended == 600


def test_a_wait_of_a_day_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    embedding = Embedding(monkeypatch, busy(86_400), GOOD)
    with pytest.raises(RunError, match="does not answer: busy"):
        embedding.run()
    assert embedding.ended == 0


def test_useless_answers_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    embedding = Embedding(monkeypatch, USELESS, USELESS, GOOD)
    embedding.run(tokens=100_000)
    assert embedding.usage == [(Usage(2003), 3)]
    embedding = Embedding(monkeypatch, USELESS)
    with pytest.raises(RunError, match="sent 0 vectors for 1 texts"):
        embedding.run(tokens=100_000)
    assert embedding.usage == [(Usage(5000), 5)]


def test_the_budget_is_asked_before_each_try(monkeypatch: pytest.MonkeyPatch) -> None:
    embedding = Embedding(monkeypatch, USELESS)
    with pytest.raises(BudgetSpent, match=r"budget\.tokens is spent: 2,000 of 2,000 used"):
        embedding.run(tokens=2000)
    assert (embedding.sent, embedding.usage) == (2, [(Usage(2000), 2)])


@pytest.mark.parametrize("tokens", [-1_000_000, 2**64 - 1, True, "3"])
def test_a_count_that_cannot_be_is_our_guess(monkeypatch: pytest.MonkeyPatch, tokens: object) -> None:
    embedding = Embedding(monkeypatch, {**GOOD, "usage": {"prompt_tokens": tokens}})
    embedding.run(tokens=100_000)
    (record,) = embedding.journal.records.values()
    assert (record.usage, record.response.usage_estimated) == (Usage(2), True)
