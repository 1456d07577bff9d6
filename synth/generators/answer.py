"""``answer``: more correct answers to a seed's question (answer augmentation, MetaMath arXiv 2309.12284)."""

from __future__ import annotations

from synth.agents.context import UnitContext
from synth.example import Draft
from synth.generators.answers import reference_answer
from synth.generators.base import Setup
from synth.generators.ensemble import Ensemble
from synth.generators.qa import qa_draft
from synth.recipe.kinds.solved import AnswerSpec
from synth.recipe.models import SamplingSpec

_VARIED = SamplingSpec(temperature=0.9, top_p=0.95, max_tokens=512)


class Answer:
    def __init__(self, setup: Setup, spec: AnswerSpec) -> None:
        self._spec = spec
        self._ensemble = Ensemble(setup, spec.ensemble, sampling=_VARIED)

    async def make(self, context: UnitContext) -> Draft:
        seed, spec = context.variables["seed"], self._spec
        question = str(seed["question"])
        solved = await self._ensemble.solve(context, question, reference_answer(str(seed["answer"])))
        return qa_draft(question, solved, text=solved.chain.text, chain=spec.chain, preference=spec.preference)

    async def outline(self, context: UnitContext) -> None:
        """All chains."""
        await self._ensemble.gather(context, str(context.variables["seed"]["question"]), programs=False)
