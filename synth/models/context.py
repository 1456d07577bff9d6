"""A request must fit the model's context: the answer gets what the prompt leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from synth.errors import ResponseError
from synth.models.client import Request
from synth.models.tokens import estimate_tokens, most_input_tokens

LEAST_ANSWER = 16
"""Tokens; an answer with less room is not worth asking for."""

CountTokens = Callable[[Request], Awaitable[int]]


async def estimate_input(request: Request) -> int:
    """The likely number of input tokens, for servers that do not count them for us."""
    return estimate_tokens("x" * most_input_tokens(request))


@dataclass(frozen=True, slots=True)
class Context:
    """``length``: tokens of prompt and answer together. ``count`` is asked only where a bound does not settle it."""

    length: int
    count: CountTokens = estimate_input

    async def fit(self, request: Request) -> Request:
        """``request`` with ``max_tokens`` lowered to what fits.

        Raises ``ResponseError`` (``context_length``) where the prompt leaves no room for an answer.
        """
        if most_input_tokens(request) + request.sampling.max_tokens <= self.length:
            return request
        tokens = await self.count(request)
        room = self.length - tokens
        if room >= request.sampling.max_tokens:
            return request
        if room < LEAST_ANSWER:
            raise ResponseError(
                f"the request does not fit the model's context: {tokens} tokens of {self.length}",
                kind="context_length",
            )
        return replace(request, sampling=replace(request.sampling, max_tokens=room))
