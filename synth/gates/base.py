"""What a gate is: it looks at one finished draft and says whether it may pass, why not, and how good it is."""

from __future__ import annotations

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


@runtime_checkable
class AskingGate(Protocol):
    """A gate that asks models, through the unit's own context: its calls are journaled and paid for as the unit's."""

    name: str

    @property
    def prompts(self) -> Mapping[str, str]:
        """Name and hash of every template that it asks with."""
        ...

    async def ask(self, draft: Draft, context: UnitContext) -> Verdict:
        """As :meth:`Gate.judge`."""
        ...


AnyGate = Gate | AskingGate


async def judge_all(gates: Sequence[AnyGate], draft: Draft, context: UnitContext) -> tuple[Verdict, ...]:
    """What the gates say in their order, up to the first that says no."""
    verdicts: list[Verdict] = []
    for gate in gates:
        verdicts.append(await gate.ask(draft, context) if isinstance(gate, AskingGate) else gate.judge(draft))
        if not verdicts[-1].passed:
            break
    return tuple(verdicts)


def texts(draft: Draft, roles: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Role and text of every message of these roles; an assistant that only calls tools says nothing."""
    for message in draft.messages:
        if message.role in roles and not (message.tool_calls and not message.content):
            yield message.role, message.content or ""
