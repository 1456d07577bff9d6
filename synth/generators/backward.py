"""``backward``: a number of the seed's question becomes x, and the answer is given instead: what is x?

FOBAR (arXiv 2308.07758) as MetaMath (arXiv 2309.12284) uses it. The question is made by program, so its answer is
known exactly, and only chains that reach it are kept. Deviation: the number is one that stands once in the question,
so that x is one thing.
"""

from __future__ import annotations

import re

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.answers import parse_number
from synth.generators.base import Setup
from synth.generators.ensemble import Ensemble
from synth.generators.qa import qa_draft
from synth.recipe.kinds.solved import BackwardSpec

_NUMBER = re.compile(r"(?<![\w.,/])\d[\d,]*(?:\.\d+)?(?![\w/]|[.,]\d)")


class Backward:
    def __init__(self, setup: Setup, spec: BackwardSpec) -> None:
        self._spec = spec
        self._ensemble = Ensemble(setup, spec.ensemble)

    async def make(self, context: UnitContext) -> Draft:
        question, hidden = self._turn(context)
        solved = await self._ensemble.solve(context, question, hidden)
        spec = self._spec
        return qa_draft(question, solved, text=question, chain=spec.chain, preference=spec.preference)

    async def outline(self, context: UnitContext) -> None:
        """All chains."""
        question, _ = self._turn(context)
        await self._ensemble.gather(context, question, programs=False)

    def _turn(self, context: UnitContext) -> tuple[str, str]:
        seed = context.variables["seed"]
        return hide_number(str(seed["question"]), str(seed["answer"]), context.rng.random())


def hide_number(question: str, answer: str, draw: float) -> tuple[str, str]:
    """The backward question and the number that it asks for; ``draw`` in [0, 1) chooses among those that stand once.

    Raises ``Rejected`` (gate ``backward``) where no number does.
    """
    found = list(_NUMBER.finditer(question))
    values = [parse_number(match[0]) for match in found]
    once = [match for match, value in zip(found, values, strict=True) if value is not None and values.count(value) == 1]
    if not once:
        raise Rejected("backward", "no number stands just once in the question", text=question)
    match = once[int(draw * len(once))]
    masked = f"{question[: match.start()]}x{question[match.end() :]}"
    return f"{masked} If we know that the answer to this question is {answer}, what is the value of x?", match[0]
