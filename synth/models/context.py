"""A request must fit the model's context: the answer gets what the prompt leaves."""

from __future__ import annotations

from dataclasses import replace

from synth.errors import ResponseError
from synth.models.client import Request
from synth.models.tokens import estimate_tokens, most_input_tokens

_LEAST_ANSWER = 16
"""Tokens; an answer with less room is not worth asking for."""
_MARGIN = 1.25
"""Of the likely size of a prompt: estimates err, and a server that refuses says so before it computes anything."""


def fit_context(request: Request, context_length: int) -> Request:
    """``request`` with ``max_tokens`` lowered to what likely fits.

    Raises ``ResponseError`` (``context_length``) where the prompt leaves no room for an answer.
    """
    most = most_input_tokens(request)
    if most + request.sampling.max_tokens <= context_length:
        return request
    likely = round(_MARGIN * estimate_tokens("x" * most))
    room = context_length - min(most, likely)
    if room >= request.sampling.max_tokens:
        return request
    if room < _LEAST_ANSWER:
        raise ResponseError(
            f"the request does not fit the model's context: about {likely} tokens of {context_length}",
            kind="context_length",
        )
    return replace(request, sampling=replace(request.sampling, max_tokens=room))
