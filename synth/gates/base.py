"""What a gate is: it looks at one finished draft and says whether it may pass, why not, and how good it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from synth.agents.context import UnitContext
from synth.example import Draft, Verdict


class Gate(Protocol):
    """Keeps no state between drafts: its verdict depends on the draft alone. ``name`` names verdict and score."""

    name: str

    def judge(self, draft: Draft) -> Verdict:
        """Pass or fail, with the reason in words that make sense beside the example."""
        ...


class AskingGate(ABC):
    """A gate that asks models, through the unit's own context: its calls are journaled and paid for as the unit's."""

    name: str

    prompts: Mapping[str, str]
    """Name and hash of every template that it asks with."""

    @abstractmethod
    async def ask(self, draft: Draft, context: UnitContext) -> Verdict:
        """As :meth:`Gate.judge`."""


@runtime_checkable
class MendingGate(Gate, Protocol):
    """A gate that can mend what it finds: the gates after it, and the dataset, get the mended draft."""

    def mend(self, draft: Draft) -> tuple[Draft, Verdict]:
        """The draft as it may pass, and what was found; the same draft where nothing was, or where it fails."""
        ...


AnyGate = Gate | AskingGate


async def judge_all(gates: Sequence[AnyGate], draft: Draft, context: UnitContext) -> tuple[Draft, tuple[Verdict, ...]]:
    """The draft as the gates leave it, and what they say in their order, up to the first that says no."""
    verdicts: list[Verdict] = []
    for gate in gates:
        if isinstance(gate, MendingGate):
            draft, verdict = gate.mend(draft)
        elif isinstance(gate, AskingGate):
            verdict = await gate.ask(draft, context)
        else:
            verdict = gate.judge(draft)
        verdicts.append(verdict)
        if not verdict.passed:
            break
    return draft, tuple(verdicts)


def texts(draft: Draft, roles: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Role and text of every message of these roles; an assistant that only calls tools says nothing."""
    for message in draft.messages:
        if message.role in roles and not (message.tool_calls and not message.content):
            yield message.role, message.content or ""
