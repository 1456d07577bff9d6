"""Embeddings from an OpenAI-compatible endpoint. They cost money as any call does, so they are counted as calls are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from synth.diversity.embedding import embedder_identity
from synth.errors import BudgetSpent, FatalModelError, ModelError, RunError, SynthError, TransientError
from synth.fingerprint import fingerprint
from synth.messages import Json, Message, StopReason, Usage
from synth.models.caller import Amount, Budget, CallRecord, Journal
from synth.models.client import Request, Response, Sampling, UselessAnswer
from synth.models.endpoint import Endpoint
from synth.models.limiter import LONGEST_PAUSE, in_words
from synth.models.prices import Price, find_price
from synth.models.tokens import estimate_tokens, is_token_count
from synth.recipe.diversity import EmbedderSpec
from synth.recipe.models import ModelSpec, PriceSpec

if TYPE_CHECKING:
    from synth.diversity.vectors import Vectors

UNIT = "embeddings"
"""What the journal calls the unit of all these calls."""
_TRIES = 5
_FIRST_WAIT = 1.0
_TEXTS_PER_REQUEST = 256
_TOKENS_AROUND = 4
"""That a model adds to a text, at most."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """What pays for embeddings: the budget is asked before each request, the journal remembers it."""

    budget: Budget
    journal: Journal


def embedder_price(spec: EmbedderSpec) -> Price | None:
    """None where nobody has said what it costs and no list has it."""
    price = PriceSpec(input=spec.price, output=0) if spec.price is not None else None
    return find_price(ModelSpec(provider="openai", model=spec.model, price=price), spec.base_url)


class EndpointEmbedder:
    """``POST /embeddings`` of an OpenAI-compatible endpoint."""

    def __init__(self, spec: EmbedderSpec, accounts: Accounts | None = None) -> None:
        self.identity = embedder_identity(spec)
        self._model = spec.model
        self._endpoint = Endpoint(spec.base_url, api_key=spec.api_key)
        self._accounts = accounts
        self._price = embedder_price(spec) if accounts is not None else None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Raises ``BudgetSpent`` too."""
        import numpy as np

        parts = [
            await self._ask(texts[start : start + _TEXTS_PER_REQUEST])
            for start in range(0, len(texts), _TEXTS_PER_REQUEST)
        ]
        widths = {len(vector) for part in parts for vector in part}
        if len(widths) != 1:
            raise FatalModelError(f"the embedder {self.identity} gave vectors of {sorted(widths)} numbers")
        vectors: Vectors = np.array([vector for part in parts for vector in part], dtype=np.float32)
        return vectors

    async def aclose(self) -> None:
        await self._endpoint.aclose()

    async def _ask(self, texts: Sequence[str]) -> list[list[float]]:
        said = [text if text.strip() else "-" for text in texts]
        wasted: list[Usage] = []
        started = time.monotonic()
        try:
            answer = await self._until_answered(said, wasted)
        except SynthError:
            if wasted:
                await self._journal(said, _Answer([], sum(wasted, Usage()), False, len(wasted)), 0.0)
            raise
        paid = replace(answer, usage=sum(wasted, answer.usage))
        await self._journal(said, paid, time.monotonic() - started)
        return answer.vectors

    async def _journal(self, texts: Sequence[str], answer: _Answer, seconds: float) -> None:
        if self._accounts is not None:
            await self._accounts.journal.record_call(self._record(texts, answer, seconds))

    def _amount(self, usage: Usage) -> Amount:
        return Amount(usage.total, self._price.cost(usage) if self._price is not None else 0.0)

    def _record(self, texts: Sequence[str], answer: _Answer, seconds: float) -> CallRecord:
        """The call without its texts, which stand in the attempts, and its vectors, which the store keeps for itself.

        Each has an id of its own: what was asked is never asked again, so none is ever looked up.
        """
        told = f"{len(texts)} texts"
        request = Request((Message("user", told),), Sampling(max_tokens=1))
        response = Response(
            Message("assistant", told), answer.usage, StopReason.STOP, self._model, None, answer.estimated
        )
        cost = self._price.cost(answer.usage) if self._price is not None else None
        call_id, key = f"{UNIT}/{uuid4().hex[:12]}", fingerprint([self.identity, *texts])
        return CallRecord(call_id, UNIT, self.identity, key, request, response, cost, seconds, answer.tries, "sent")

    async def _until_answered(self, texts: Sequence[str], wasted: list[Usage]) -> _Answer:
        """``wasted`` receives what answers cost that are of no use."""
        body = orjson.dumps({"model": self._model, "input": texts})
        for tries in range(1, _TRIES + 1):
            try:
                return await self._try_once(texts, body, tries)
            except TransientError as error:
                if isinstance(error, UselessAnswer):
                    wasted.append(error.usage)
                await self._wait(error, tries)
            except ModelError as error:
                raise RunError(f"the embedder {self.identity} refuses: {error.message}", hint=error.hint) from error
        raise AssertionError("the loop returns or raises")

    async def _try_once(self, texts: Sequence[str], body: bytes, tries: int) -> _Answer:
        budget = self._accounts.budget if self._accounts is not None else None
        most = self._amount(Usage(sum(len(text.encode()) + _TOKENS_AROUND for text in texts)))
        spent = Amount(0, 0.0)
        if budget is not None:
            await budget.reserve(most)
        try:
            data = await self._endpoint.post("/embeddings", body, model=self._model)
            answer = _Answer(self._vectors(data, len(texts)), *_usage(data, texts), tries)
            spent = self._amount(answer.usage)
        except UselessAnswer as error:
            spent = self._amount(error.usage)
            raise
        finally:
            if budget is not None:
                budget.settle(most, spent)
        return answer

    async def _wait(self, error: TransientError, tries: int) -> None:
        """Wait before the next try; raises ``RunError`` and ``BudgetSpent`` where there is none."""
        asked = error.retry_after or 0.0
        if tries == _TRIES or asked > LONGEST_PAUSE:
            message = f"the embedder {self.identity} does not answer: {error.message}"
            raise RunError(message, hint="run the same command again: it resumes") from error
        wait = asked or _FIRST_WAIT * 2 ** (tries - 1)
        if self._accounts is not None and wait > self._accounts.budget.seconds_left():
            message = f"budget.minutes ends before the embedder {self.identity} may be asked again, in {in_words(wait)}"
            raise BudgetSpent("minutes", message) from error
        await asyncio.sleep(wait)

    def _vectors(self, answer: Json, count: int) -> list[list[float]]:
        try:
            entries = sorted(answer["data"], key=lambda entry: int(entry["index"]))
            vectors = [[float(number) for number in entry["embedding"]] for entry in entries]
        except (KeyError, TypeError, ValueError) as error:
            raise _useless(f"{self.identity} sent no embeddings", answer) from error
        if len(vectors) != count:
            raise _useless(f"{self.identity} sent {len(vectors)} vectors for {count} texts", answer)
        return vectors


@dataclass(frozen=True, slots=True)
class _Answer:
    """Vectors in the order of the texts; ``estimated``: the endpoint did not count its tokens."""

    vectors: list[list[float]]
    usage: Usage
    estimated: bool
    tries: int


def _usage(answer: Json, texts: Sequence[str]) -> tuple[Usage, bool]:
    counted = _counted(answer)
    return (Usage(sum(estimate_tokens(text) for text in texts)), True) if counted is None else (counted, False)


def _counted(answer: Json) -> Usage | None:
    counted = answer.get("usage")
    tokens = counted.get("prompt_tokens", counted.get("total_tokens")) if isinstance(counted, dict) else None
    return Usage(tokens) if is_token_count(tokens) else None


def _useless(message: str, answer: Json) -> TransientError:
    counted = _counted(answer)
    return TransientError(message, kind="malformed") if counted is None else UselessAnswer(message, counted)
