"""The teacher's echo: what it says to a generator's prompts when it says the likeliest thing.

What is close to it teaches a student the teacher's habits rather than the task (its mode), so the novelty filter
rejects it. The calls are journaled and counted in budgets as any other, under units ``<generator>-echo.<place>``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from synth.agents.context import UnitContext
from synth.errors import ModelError, Rejected
from synth.example import WorkUnit
from synth.generators.base import Generator
from synth.models.caller import Caller, CallRecord
from synth.models.client import Request
from synth.models.corrsynth.member import XARGS

FEWEST_ECHOES, MOST_ECHOES = 16, 64
"""One for each seed, within these; a recipe without seeds has the fewest."""


async def teacher_echo(generator: Generator, units: Sequence[WorkUnit], caller: Caller) -> list[tuple[str | None, str]]:
    """Carry out ``units`` greedily; seed id and text of each that came to something, in their order.

    Raises ``BudgetSpent`` and ``RunError``.
    """
    greedy = _Greedy(caller)
    echoes = await asyncio.gather(*(_echo(generator, unit, greedy) for unit in units))
    seeds = [unit.seed.id if unit.seed is not None else None for unit in units]
    return [(seed, text) for seed, text in zip(seeds, echoes, strict=True) if text.strip()]


async def _echo(generator: Generator, unit: WorkUnit, caller: Caller) -> str:
    echo = replace(unit, echo=True, cycle=0, long_tail=(), avoid=())
    try:
        return (await generator.make(UnitContext(echo, caller))).text
    except Rejected as rejected:
        return rejected.text
    except ModelError:
        return ""


class _Greedy:
    """Asks everything at temperature 0, and what is the same then only once."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._asked: dict[tuple[str, str, str], asyncio.Future[CallRecord]] = {}

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        extra = {name: value for name, value in request.sampling.extra.items() if name != XARGS}  # no contrast
        sampling = replace(request.sampling, temperature=0.0, top_p=None, extra=extra)
        request = replace(request, sampling=sampling, sample="echo", seed=None)
        same = (unit, model, request.fingerprint(model))
        if same not in self._asked:
            self._asked[same] = asyncio.ensure_future(self._caller.call(model, request, unit=unit, key=key))
        return await self._asked[same]
