"""``backward``: a number of the seed's question becomes x, and the answer is given instead: what is x?

As MetaMath (arXiv 2309.12284) uses them: FOBAR (arXiv 2308.07758), made by program, and self-verification
(arXiv 2212.09561), where a writer restates question and answer as a claim. What x is, is known exactly, and only chains
that reach it are kept. Deviation: the number is one that stands once in the question, in digits or in words, so that x
is one thing.
"""

from __future__ import annotations

import re

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.answers import parse_number, reference_answer
from synth.generators.base import Setup
from synth.generators.ensemble import Ensemble
from synth.generators.qa import qa_draft
from synth.generators.quantities import quantities
from synth.generators.writing import claims, write_question
from synth.messages import Json
from synth.recipe.kinds.solved import BackwardSpec
from synth.recipe.models import SamplingSpec

_NUMBER = re.compile(r"(?<![\w.,/])\d+(?:,\d{3})*(?:\.\d+)?(?![\w/]|[.,]\d)")
_CLAIM_SCHEMA: Json = {
    "type": "object",
    "properties": {"statement": {"type": "string", "minLength": 5, "maxLength": 400}},
    "required": ["statement"],
    "additionalProperties": False,
}


class Backward:
    def __init__(self, setup: Setup, spec: BackwardSpec) -> None:
        self._spec = spec
        self._ensemble = Ensemble(setup, spec.ensemble)
        sampling = SamplingSpec(temperature=0.5, max_tokens=120)
        self._writer = setup.agent("writer", sampling=sampling, schema=_CLAIM_SCHEMA)

    async def make(self, context: UnitContext) -> Draft:
        seed, spec = context.variables["seed"], self._spec
        forward, answer, draw = str(seed["question"]), reference_answer(str(seed["answer"])), context.rng.random()
        if spec.form == "fobar":
            question, hidden = hide_number(forward, draw)
            question += f" If we know that the answer to this question is {answer}, what is the value of x?"
        else:
            story, asked = split_question(forward)
            story, hidden = hide_number(story, draw)
            visible = {"question": asked, "answer": answer}
            claim = await write_question(self._writer, context, visible, claims(asked, answer), field="statement")
            question = f"{story} {claim} What is the value of x?"
        solved = await self._ensemble.solve(context, question, hidden)
        return qa_draft(question, solved, text=question, chain=spec.chain, preference=spec.preference)

    async def outline(self, context: UnitContext) -> None:
        """The claim, where there is one, and all chains."""
        seed = context.variables["seed"]
        question = str(seed["question"])
        if self._spec.form == "self_verification":
            visible = {"question": question, "answer": reference_answer(str(seed["answer"]))}
            await self._writer.ask(context, visible)
        await self._ensemble.gather(context, question, programs=False)


def hide_number(question: str, draw: float) -> tuple[str, str]:
    """The question with x for a number, and the number; ``draw`` in [0, 1) chooses among those that stand once.

    Raises ``Rejected`` (gate ``backward``) where no number does, or where x stands there already.
    """
    if re.search(r"\bx\b", question, re.IGNORECASE):
        raise Rejected("backward", "the question has an x of its own", text=question)
    found = [(match, parse_number(match[0])) for match in _NUMBER.finditer(question)]
    values, stated = [value for _, value in found], quantities(question)
    once = [
        match
        for match, value in found
        if value is not None and values.count(value) == 1 and stated[value] <= 1  # 1 is not among what is stated
    ]
    if not once:
        raise Rejected("backward", "no number stands just once in the question", text=question)
    match = once[int(draw * len(once))]
    return f"{question[: match.start()]}x{question[match.end() :]}", match[0]


def split_question(question: str) -> tuple[str, str]:
    """The story, and the sentence that asks. Raises ``Rejected`` (gate ``backward``) where they are one sentence."""
    parts = re.split(r"(?<=[.!?])\s+", question.strip())
    if len(parts) < 2 or not parts[-1].endswith("?"):
        raise Rejected("backward", "the question is not a sentence of its own at the end", text=question)
    return " ".join(parts[:-1]), parts[-1]
