"""Writes several texts in lockstep with a Hugging Face causal model: one forward pass a step for all of them.

Texts of one CorrSynth group are contrasted in every step; one that has ended leaves the batch, and so the contrast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers.modeling_outputs import CausalLMOutputWithPast

from synth.models.corrsynth.equation import contrast_logits, contrast_weights
from synth.models.corrsynth.member import Member

_CACHE = "cache" if "cache" in CausalLMOutputWithPast.__dataclass_fields__ else "past_key_values"
"""What models take and give it as: transformers renamed it in a release of version 5."""
_CHECK_STOPS = 16
"""Tokens from the end that are read for a stop text."""


@dataclass(slots=True)
class Writing:
    """One text in the making. ``seed`` draws its tokens; ``ended`` says why it ended: stop or length."""

    prompt: list[int]
    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    member: Member | None = None
    stops: tuple[str, ...] = ()
    tokens: list[int] = field(default_factory=list)
    ended: str = ""


def write_together(
    model: Any, writings: Sequence[Writing], *, ends: frozenset[int], context: int, decode: Callable[[list[int]], str]
) -> None:
    """Fill in ``tokens`` and ``ended`` of all. ``ends`` are end-of-text tokens, ``context`` the model's most tokens.

    A prompt with no room behind it ends at once with ``length``.
    """
    with torch.inference_mode():
        _write_together(model, writings, ends, context, decode)


def _write_together(
    model: Any, writings: Sequence[Writing], ends: frozenset[int], context: int, decode: Callable[[list[int]], str]
) -> None:
    active = [one for one in writings if _has_room(one, context)]
    if not active:
        return
    draws = {id(one): torch.Generator().manual_seed(one.seed) for one in active}
    width = max(len(one.prompt) for one in active)
    device = model.device
    tokens = torch.tensor([[0] * (width - len(one.prompt)) + one.prompt for one in active], device=device)
    mask = torch.tensor([[0] * (width - len(one.prompt)) + [1] * len(one.prompt) for one in active], device=device)
    positions = (mask.cumsum(-1) - 1).clamp_min(0)
    cache: Any = None
    weights = _Weights()
    while active:
        output = model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **{_CACHE: cache},
        )
        cache = output[_CACHE]
        logits = weights.apply(output.logits[:, -1, :].float(), active).cpu()
        chosen = [draw_token(row, one, draws[id(one)]) for row, one in zip(logits, active, strict=True)]
        kept = []
        for row, (one, token) in enumerate(zip(active, chosen, strict=True)):
            _take(one, token, ends, context, decode)
            if not one.ended:
                kept.append(row)
        if not kept:
            return
        if len(kept) < len(active):
            rows = torch.tensor(kept, device=device)
            cache.batch_select_indices(rows)
            mask, positions = mask[rows], positions[rows]
            active = [active[row] for row in kept]
        tokens = torch.tensor([[one.tokens[-1]] for one in active], device=device)
        positions = positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1)


def _has_room(one: Writing, context: int) -> bool:
    if len(one.prompt) >= context or one.max_tokens < 1:
        one.ended = "length"
    return not one.ended


def _take(one: Writing, token: int, ends: frozenset[int], context: int, decode: Callable[[list[int]], str]) -> None:
    if token in ends:
        one.ended = "stop"
        return
    one.tokens.append(token)
    if one.stops:
        tail = decode(one.tokens[-_CHECK_STOPS:])
        if any(stop in tail for stop in one.stops):
            one.ended = "stop"
            return
    if len(one.tokens) >= one.max_tokens or len(one.prompt) + len(one.tokens) >= context:
        one.ended = "length"


class _Weights:
    """The contrast of a batch, kept while the same texts are in it."""

    def __init__(self) -> None:
        self._of: list[int] = []
        self._rows: list[int] = []
        self._members: list[Member] = []
        self._weights = torch.zeros(0, 0)

    def apply(self, logits: torch.Tensor, active: Sequence[Writing]) -> torch.Tensor:
        now = [id(one) for one in active]
        if now != self._of:
            self._of = now
            members = [(row, one.member) for row, one in enumerate(active) if one.member is not None]
            self._rows = [row for row, _ in members]
            self._members = [member for _, member in members]
            self._weights = contrast_weights(self._members)
        if self._rows:
            logits[self._rows] = contrast_logits(logits[self._rows], self._members, self._weights)
        return logits


def draw_token(logits: torch.Tensor, one: Writing, draw: torch.Generator) -> int:
    """A token by temperature and nucleus from logits of shape (vocabulary,); the likeliest at temperature 0."""
    if one.temperature == 0:
        return int(logits.argmax())
    probabilities = torch.softmax(logits / one.temperature, dim=-1)
    if one.top_p < 1:
        ordered, tokens = probabilities.sort(descending=True)
        ordered[ordered.cumsum(-1) - ordered > one.top_p] = 0
        return int(tokens[torch.multinomial(ordered, 1, generator=draw)])
    return int(torch.multinomial(probabilities, 1, generator=draw))
