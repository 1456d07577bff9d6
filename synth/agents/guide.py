"""What an assistant may be told while a conversation is made, beside what its reader will see.

A small model that is told the next step of a workflow carries it out well, and loses its way where it has to plan. What
a guide says is never part of the conversation: it goes into one request and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from synth.messages import Message


@dataclass(frozen=True, slots=True)
class Hint:
    """What to do next, in words. ``tool``: the call that is due; without it, words to the user are."""

    text: str
    tool: str | None = None


class Guide(Protocol):
    """Knows the way through a task."""

    def next(self, conversation: Sequence[Message]) -> Hint | None:
        """What the assistant should do now; None where it is left to itself."""
        ...


def with_hint(messages: tuple[Message, ...], hint: Hint) -> tuple[Message, ...]:
    """The request's messages with the hint behind the last one, where every chat template has room for it."""
    last = messages[-1]
    told = Message(last.role, f"{last.content or ''}\n\n({hint.text})", tool_call_id=last.tool_call_id)
    return (*messages[:-1], told)
