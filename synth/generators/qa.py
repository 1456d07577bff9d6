"""From a solved question to a draft: messages, scores, and preference data in the layouts that TRL reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from synth.errors import Rejected
from synth.example import Draft
from synth.generators.answers import reference_answer
from synth.generators.ensemble import Solved
from synth.generators.preference import Response, preference_columns
from synth.generators.solving import Chain
from synth.messages import Json, Message

_ANSWER_LINE = re.compile(r"\W*(?:final\s+)?answer\s*[:=]", re.IGNORECASE)

Placement = Literal["content", "reasoning_content"]


def known_answer(seed: Mapping[str, Any]) -> str | None:
    """The seed's answer, or None where it has none; of a whole solution, what it ends in."""
    answer = seed.get("answer")
    return reference_answer(str(answer)) or None if answer is not None else None


def qa_draft(
    question: str,
    solved: Solved,
    *,
    text: str,
    chain: Placement = "content",
    preference: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> Draft:
    """``text`` is what the novelty filter compares. Raises ``Rejected`` (gate ``preference``) where ``preference`` is
    asked for and nothing worse than the kept chain was made."""
    reply = _reply(solved.chain, solved.answer, chain)
    columns: Json = {"answer": solved.answer, "decided_by": solved.decided_by, **(extra or {})}
    if solved.revised:
        columns["revised"] = solved.revised
    if preference:
        columns |= _preference(question, reply, solved, chain)
    scores = {
        "pass_rate": round(solved.pass_rate, 4),
        "difficulty": round(1 - solved.pass_rate, 4),
        "support": round(solved.support, 4),
    }
    return Draft(messages=(Message("user", question), reply), text=text, scores=scores, extra=columns)


def _preference(question: str, reply: Message, solved: Solved, chain: Placement) -> Json:
    if solved.wrong is None:
        raise Rejected("preference", "every chain is right: there is nothing to prefer it to", text=solved.chain.text)
    worse, separates = solved.wrong
    rejected = _reply(worse, worse.answer or "", chain)
    return preference_columns(
        (Message("user", question),), Response(reply, 1.0, "right"), Response(rejected, 0.0, separates), separates
    )


def _reply(chain: Chain, answer: str, placement: Placement) -> Message:
    if placement == "content":
        return Message("assistant", chain.text, reasoning=chain.reasoning)
    thought = "\n".join(line for line in chain.text.splitlines() if not _ANSWER_LINE.match(line)).strip()
    return Message("assistant", answer, reasoning="\n\n".join(part for part in (chain.reasoning, thought) if part))
