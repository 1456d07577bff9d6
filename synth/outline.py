"""What a generator would ask, found out by letting it ask someone who answers nothing: no model, no cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from synth.agents.context import UnitContext
from synth.errors import UsageError
from synth.example import Draft, WorkUnit
from synth.gates.base import AnyGate, AskingGate
from synth.generators.base import Generator, Outlined
from synth.messages import Message, StopReason, Usage
from synth.models.caller import CallRecord
from synth.models.client import Request, Response
from synth.models.scripted import smallest_instance
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.kinds.custom import PluginSpec

_REPAIR = re.compile(r"\.r\d+$")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of an attempt. Where ``request`` repeats what an agent has not said yet, it has its stand-in."""

    model: str
    role: str
    request: Request

    @property
    def stand_in(self) -> str:
        """What stands for this call's answer in later requests."""
        return _stand_in(self.role)


async def outline(
    spec: GeneratorSpec, generator: Generator, unit: WorkUnit, gates: Sequence[AnyGate] = ()
) -> tuple[Asked, ...] | None:
    """The calls of an attempt at ``unit`` that goes well, as far as they can be known without answers; those of
    ``gates`` are about what the last agent says.

    None where nothing can be known: a user's own kind has to have ``outline``, as its ``make`` may do more than ask.
    Raises ``UsageError`` where a file that it needs cannot be used.
    """
    caller = _Nobody()
    context = UnitContext(unit, caller)
    if isinstance(spec, PluginSpec) and not isinstance(generator, Outlined):
        return None
    draft: Draft | None = None
    try:
        if isinstance(generator, Outlined):
            await generator.outline(context)
        else:
            draft = await generator.make(context)
    except Exception as error:
        # Answers that mean nothing may end it in any way; what it asked until then counts.
        if isinstance(error, UsageError):  # a file of the user's cannot be used
            raise
    if not caller.asked:
        return None
    if draft is None:
        last = caller.asked[-1]
        draft = Draft((*last.request.messages[-1:], Message("assistant", last.stand_in)), last.stand_in)
    for gate in gates:
        if isinstance(gate, AskingGate):
            await gate.ask(draft, context)
    return tuple(caller.asked)


class _Nobody:
    """A caller that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        asked = Asked(model, key.partition(".")[0], request)
        if not _REPAIR.search(key):  # asked for only because a stand-in makes no sense
            self.asked.append(asked)
        text = asked.stand_in
        if request.schema is not None:
            text = orjson.dumps(smallest_instance(request.schema, text)).decode()
        response = Response(Message("assistant", text), Usage(), StopReason.STOP, model)
        return CallRecord(f"{unit}/{key}", unit, model, "", request, response, 0.0, 0.0, 0, "outline")


def _stand_in(role: str) -> str:
    return f"‹what {role} says›"
