"""``cot``: chains of thought for a seed's question, by :mod:`synth.generators.ensemble`; a right one goes out.

Where the seed has ``tests``: programs, by :mod:`synth.generators.coding`.
"""

from __future__ import annotations

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.coding import Coder, unit_tests_of
from synth.generators.ensemble import Ensemble
from synth.generators.qa import known_answer, qa_draft
from synth.recipe.kinds.solved import CotSpec


class Cot:
    def __init__(self, setup: Setup, spec: CotSpec) -> None:
        self._spec = spec
        self._ensemble = Ensemble(setup, spec.ensemble)
        self._coder = Coder(setup, spec.ensemble)

    async def make(self, context: UnitContext) -> Draft:
        seed = context.variables["seed"]
        question = str(seed["question"])
        tests = unit_tests_of(seed)
        if tests is not None:
            solved = await self._coder.solve(context, question, tests)
        else:
            solved = await self._ensemble.solve(context, question, known_answer(seed))
        difficulty, wanted = round(1 - solved.pass_rate, 4), self._spec.difficulty
        if not wanted.min <= difficulty <= wanted.max:
            reason = f"difficulty {difficulty} is not between {wanted.min} and {wanted.max}"
            raise Rejected("difficulty", reason, text=solved.chain.text)
        return qa_draft(
            question, solved, text=solved.chain.text, chain=self._spec.chain, preference=self._spec.preference
        )

    async def outline(self, context: UnitContext) -> None:
        """All chains and programs; whether anything is revised is not known beforehand."""
        seed = context.variables["seed"]
        if unit_tests_of(seed) is not None:
            await self._coder.gather(context, str(seed["question"]))
            return
        await self._ensemble.gather(context, str(seed["question"]), programs=known_answer(seed) is None)
