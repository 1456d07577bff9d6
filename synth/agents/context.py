"""What whoever carries out a unit may touch: the unit, its random numbers, and models through the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from synth.agents.guidance import guidance
from synth.example import Lineage, Seed, WorkUnit
from synth.fingerprint import derive_rng, derive_seed
from synth.messages import Usage
from synth.models.caller import Caller, CallRecord, UnusableAnswer
from synth.models.client import Request
from synth.prompts import Template


class UnitContext:
    """One unit in the making. Remembers which calls and prompts went into it."""

    def __init__(self, unit: WorkUnit, caller: Caller) -> None:
        self.unit = unit
        self.rng = derive_rng(unit.rng_seed)
        self._caller = caller
        self._records: list[CallRecord] = []
        self._answers: dict[tuple[str, str], asyncio.Future[CallRecord]] = {}
        self._prompts: dict[str, str] = {}
        self._ancestors = (*unit.seed.ancestors, unit.seed.id) if unit.seed is not None else ()
        self._seeds = list(self._ancestors)

    @property
    def variables(self) -> dict[str, Any]:
        """What every template sees: ``seed``, ``attributes``, ``persona``, ``avoid``, ``unit``, and ``guidance``: all
        that steers this unit, in words that a prompt can hold."""
        unit = self.unit
        fields: Mapping[str, Any] = unit.seed.fields if unit.seed else {}
        return {
            "seed": fields,
            "attributes": unit.attributes,
            "persona": unit.persona,
            "avoid": unit.avoid,
            "guidance": guidance(unit),
            "unit": {"index": unit.index, "cycle": unit.cycle, "seed": unit.rng_seed},
        }

    @property
    def records(self) -> tuple[CallRecord, ...]:
        """The calls so far, in the order in which they were answered."""
        return tuple(self._records)

    def used(self, template: Template) -> None:
        """Note a template in the lineage."""
        self._prompts[template.name] = template.hash

    def showed(self, seed: Seed) -> None:
        """Note in the lineage a seed beside the unit's own that a prompt shows."""
        if seed.id not in self._seeds:
            self._seeds.append(seed.id)

    def sample_seed(self, key: str) -> int:
        """The ``seed`` of the call ``key``: 31 bits, as servers take."""
        return derive_seed(self.unit.rng_seed, key) & 0x7FFFFFFF

    async def call(self, model: str, request: Request, key: str) -> CallRecord:
        """Ask a model; ``key`` names the call within the unit and must not depend on the order of completion.

        What was asked under the same key before is not asked again: the journal holds one answer to it, so a resumed
        run could give no other. Raises what ``Caller.call`` raises.
        """
        asked = key, request.fingerprint(model)
        if asked in self._answers:
            return await self._answers[asked]
        answer = asyncio.ensure_future(self._caller.call(model, request, unit=self.unit.id, key=key))
        self._answers[asked] = answer
        try:
            record = await answer
        except UnusableAnswer as error:  # it was paid for, so it belongs to the lineage
            self._records.append(error.record)
            raise
        except BaseException:  # nothing came of it, so it may be asked again
            del self._answers[asked]
            raise
        self._records.append(record)
        return record

    def lineage(self) -> Lineage:
        """Everything so far, in the order of the call ids."""
        once = {(record.id, record.fingerprint): record for record in self._records}
        records = sorted(once.values(), key=lambda record: record.id)
        costs = [record.cost_usd for record in records]
        known = [cost for cost in costs if cost is not None]
        return Lineage(
            seeds=tuple(self._seeds),
            models={record.model: record.response.model for record in records},
            prompts=dict(sorted(self._prompts.items())),
            calls=tuple(record.id for record in records),
            usage=sum((record.usage for record in records), Usage()),
            cost_usd=sum(known) if len(known) == len(costs) else None,
            ancestors=self._ancestors,
        )
