"""Preference and reward data: one prompt, a chosen and a rejected response with what separates them, and a score for
every response. The columns are TRL's conversational preference layout; exports turn them into its others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synth.messages import Json, Message


@dataclass(frozen=True, slots=True)
class Response:
    """One answer to the prompt. ``score`` is from 0 to 1, ``reason`` why it has it."""

    message: Message
    score: float
    reason: str


def preference_columns(
    prompt: Sequence[Message],
    chosen: Response,
    rejected: Response,
    separates: str,
    others: Sequence[Response] = (),
) -> Json:
    """``prompt``, ``chosen``, ``rejected``, ``separates``, and ``responses``: all of them, with score and reason."""
    return {
        "prompt": [message.to_dict() for message in prompt],
        "chosen": [chosen.message.to_dict()],
        "rejected": [rejected.message.to_dict()],
        "separates": separates,
        "responses": [
            {"content": one.message.content, "score": round(one.score, 4), "reason": one.reason}
            for one in (chosen, rejected, *others)
        ],
    }
