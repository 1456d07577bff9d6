"""``persona``: the seed's problem retold in one person's world; numbers and answer stay (after arXiv 2406.20094).

As with ``rephrase``, a retelling is kept when at least ``ensemble.vote`` of the chains that solve it reach the seed's
answer: one that does may have got there in spite of what the retelling lost.
"""

from __future__ import annotations

import re

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.ensemble import Ensemble
from synth.generators.qa import known_answer, qa_draft
from synth.generators.writing import QUESTION_SCHEMA, keeps_numbers, write_question
from synth.messages import Json
from synth.recipe.kinds.solved import PersonaSpec
from synth.recipe.models import SamplingSpec


class Persona:
    """For whom: one of the kind's ``personas``, else the unit's persona, else the seed's field ``persona``."""

    def __init__(self, setup: Setup, spec: PersonaSpec) -> None:
        self._spec = spec
        self._ensemble = Ensemble(setup, spec.ensemble)
        sampling = SamplingSpec(temperature=0.8, top_p=0.95, max_tokens=300)
        self._writer = setup.agent("writer", sampling=sampling, schema=QUESTION_SCHEMA)

    async def make(self, context: UnitContext) -> Draft:
        seed, visible = context.variables["seed"], self._visible(context)
        question = await write_question(self._writer, context, visible, keeps_numbers(visible["question"]))
        spec, known, extra = self._spec, known_answer(seed), {"persona": visible["persona"]}
        solved = await self._ensemble.solve(context, question, known)
        if known is not None and solved.pass_rate < spec.ensemble.vote:
            reason = f"solved again, {solved.pass_rate:.0%} of the chains reach the seed's answer {known}"
            raise Rejected("answer", f"{reason}; {spec.ensemble.vote:.0%} must", text=question)
        return qa_draft(question, solved, text=question, chain=spec.chain, preference=spec.preference, extra=extra)

    async def outline(self, context: UnitContext) -> None:
        """One retelling that passes, and everything that is gathered for it."""
        visible = self._visible(context)
        reply = await self._writer.ask(context, visible)
        known = known_answer(context.variables["seed"])
        await self._ensemble.gather(context, str(reply.value["question"]), programs=known is None)

    def _visible(self, context: UnitContext) -> Json:
        question = str(context.variables["seed"]["question"])
        return {
            "question": question,
            "persona": self._persona(context),
            "numbers": re.findall(r"\d[\d,.]*\d|\d", question),
        }

    def _persona(self, context: UnitContext) -> str:
        unit = context.unit
        if self._spec.personas:
            return context.rng.choice(self._spec.personas)
        if unit.persona:
            return ", ".join(str(value) for value in unit.persona.values())
        given = context.variables["seed"].get("persona")
        if given is None or not str(given).strip():
            raise Rejected("persona", "neither the recipe nor the seed says for whom")
        return str(given).strip()
