"""Several responses of a ``custom`` ensemble to one prompt, the best and the worst of them, and what separates the two.

A response that a step's check or ``accept`` says no to is worse than any that passes, without asking anybody. Those
that pass are scored by a panel with a rubric; the best and the worst of them are then shown side by side in both
orders, and are a pair only where both times the same one wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.generators.preference import Response, preference_columns
from synth.judging.panel import Panel, Subject
from synth.messages import Json, Message

SAYS_NO = frozenset({"accept", "check", "until"})
"""Gates that find a response wanting. What else ends an attempt (an answer cut off, a verdict that cannot be read) says
nothing of the response."""


@dataclass(frozen=True, slots=True)
class Try:
    """One response as the ensemble made it. ``complaint`` is what said no to it."""

    messages: tuple[Message, ...]
    complaint: Rejected | None

    @property
    def text(self) -> str:
        return self.messages[-1].content or ""


async def prefer(context: UnitContext, tries: Sequence[Try], panel: Panel, *, confirm: bool) -> tuple[Message, Json]:
    """The chosen response and the columns of a preference row. Raises ``Rejected`` where none is better than another.

    ``tries`` are about the same prompt; of equal texts the first counts.
    """
    different = list({one.text: one for one in reversed(tries)}.values())[::-1]
    passed = [one for one in different if one.complaint is None]
    failed = [one for one in different if one.complaint is not None]
    if not passed:
        raise next(one.complaint for one in tries if one.complaint is not None)
    prompt = passed[0].messages[:-1]
    worse = [Response(one.messages[-1], 0.0, one.complaint.message) for one in failed if one.complaint is not None]
    if len(passed) == 1:
        if not worse:
            raise Rejected("preference", "all responses are the same", text=passed[0].text)
        chosen = Response(passed[0].messages[-1], 1.0, "accepted")
        return chosen.message, preference_columns(prompt, chosen, worse[0], worse[0].reason, worse[1:])
    scored = await _score(context, passed, panel)
    best, *rest = sorted(scored, key=lambda one: -one.score)
    if worse:
        return best.message, preference_columns(prompt, best, worse[0], worse[0].reason, [*worse[1:], *rest])
    worst = rest.pop()
    if worst.score == best.score:
        reason = f"all {len(scored)} responses are equally good: {best.score:.2f}"
        raise Rejected("preference", reason, text=best.message.content or "")
    separates = f"lower score: {worst.score:.2f} instead of {best.score:.2f}: {worst.reason}"
    if confirm:
        texts = best.message.content or "", worst.message.content or ""
        found = await panel.compare(context, Subject(prompt), *texts)
        if found.better != "first":
            reason = "shown side by side in both orders, the one with the higher score is not the better one"
            raise Rejected("preference", reason, text=texts[0])
        separates += f" ({found.reason})" if found.reason else ""
    return best.message, preference_columns(prompt, best, worst, separates, rest)


async def _score(context: UnitContext, tries: Sequence[Try], panel: Panel) -> list[Response]:
    """Every response that a judge gave a verdict on. Raises ``Rejected`` with fewer than two."""
    scored: list[Response] = []
    for number, one in enumerate(tries):
        found = await panel.assess(context, Subject(one.messages), sample=number)
        if found.score is not None:
            weakest = min(found.scores, key=lambda name: found.scores[name])
            reason = f"{weakest}: {found.reason(weakest)}" if found.scores[weakest] < 1 else "nothing is wrong"
            scored.append(Response(one.messages[-1], found.score, reason))
    if len(scored) < 2:
        raise Rejected("preference", "no judge gave verdicts that can be read", text=tries[0].text)
    return scored
