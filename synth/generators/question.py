"""``question`` and ``evolve``: a new question in a seed's spirit, or a harder one; solved and verified by the ensemble.

Nobody knows the answer beforehand, so what is kept is what chains of thought and executed programs agree on
(MetaMath arXiv 2309.12284; Evol-Instruct arXiv 2304.12244; "new question" of arXiv 2409.19759).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from synth.agents.context import UnitContext
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.ensemble import Ensemble
from synth.generators.qa import qa_draft
from synth.generators.writing import HARDER_SCHEMA, QUESTION_SCHEMA, Check, is_harder, is_new_problem, write_question
from synth.messages import Json
from synth.recipe.kinds.solved import EvolveSpec, QuestionSpec
from synth.recipe.models import SamplingSpec

_TOPICS = (
    "a school, a kitchen, a football team, a farm, a train journey, a bookshop, savings, a birthday party, a garden, "
    "a workshop, a hospital, a hike, a concert, a swimming pool, a newspaper round, a zoo, painting a house, "
    "a bus company, a fishing trip, a charity run"
).split(", ")
_WAYS = (
    "by one more step",
    "by a condition that changes one of the amounts",
    "by a second person or thing that is compared with the first",
    "by asking for what is left or missing after one more event",
)


class _Written(ABC):
    """A writer, a check, and the ensemble."""

    _schema = QUESTION_SCHEMA

    def __init__(self, setup: Setup, spec: QuestionSpec | EvolveSpec) -> None:
        self._spec = spec
        self._ensemble = Ensemble(setup, spec.ensemble)
        sampling = SamplingSpec(temperature=0.9, top_p=0.95, max_tokens=300)
        self._writer = setup.agent("writer", sampling=sampling, schema=self._schema)

    async def make(self, context: UnitContext) -> Draft:
        seed = str(context.variables["seed"]["question"])
        visible = {"question": seed, **self._choice(context)}
        check = self._check(seed, self._writer.shown_answers(context, visible))
        question = await write_question(self._writer, context, visible, check)
        solved = await self._ensemble.solve(context, question, None)
        spec = self._spec
        return qa_draft(question, solved, text=question, chain=spec.chain, preference=spec.preference)

    async def outline(self, context: UnitContext) -> None:
        """One question that passes, and everything that is gathered for it."""
        visible = {"question": str(context.variables["seed"]["question"]), **self._choice(context)}
        reply = await self._writer.ask(context, visible)
        await self._ensemble.gather(context, str(reply.value["question"]), programs=True)

    @abstractmethod
    def _choice(self, context: UnitContext) -> Json:
        """What the writer is told besides the seed's question."""

    @abstractmethod
    def _check(self, seed: str, shown: list[str]) -> Check:
        """What a program can see wrong with a question written from ``seed``, by a prompt with the examples
        ``shown``."""


class Question(_Written):
    def _choice(self, context: UnitContext) -> Json:
        return {"topic": context.rng.choice(_TOPICS)}

    def _check(self, seed: str, shown: list[str]) -> Check:
        return is_new_problem(seed, *shown)  # a small model gives the prompt's example back


class Evolve(_Written):
    _schema = HARDER_SCHEMA

    def _choice(self, context: UnitContext) -> Json:
        return {"how": context.rng.choice(_WAYS)}

    def _check(self, seed: str, shown: list[str]) -> Check:
        return is_harder(seed)
