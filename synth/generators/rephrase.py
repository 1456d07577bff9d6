"""``rephrase``: a new wording of a seed's question whose answer stays (question rephrasing, MetaMath arXiv 2309.12284).

A new wording is kept when a program finds every number of the old one in it and no other, and solving it again reaches
the seed's answer in at least ``ensemble.vote`` of the chains. The best of those chains goes out with it. A wording
that fails the program's checks is written again, in another style, before anything is spent on solving it; what was
wrong is not said, for small models put that into the wording.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from synth.agents.context import UnitContext
from synth.diversity.lexical import overlap
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.answers import reference_answer
from synth.generators.base import Setup
from synth.generators.ensemble import wrong_chain
from synth.generators.evidence import Evidence
from synth.generators.preference import Response, preference_columns
from synth.generators.quantities import quantities
from synth.generators.solving import Chain, share_of, solve, sound_chains
from synth.messages import Json, Message
from synth.recipe.kinds.solved import RephraseSpec
from synth.recipe.models import SamplingSpec

_SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string", "minLength": 10}},
    "required": ["question"],
    "additionalProperties": False,
}
_STYLES = (
    "with other words for every verb and noun that allows it",
    "so that the sentences come in another order",
    "as two or three short sentences",
    "in one long sentence that ends in the question",
    "as a message to a friend",
    "the way a teacher reads it out in class",
    "with the person's reason for doing it",
    "so that it begins with the person's name",
)
_WORDINGS = 3
"""Wordings written before a unit is given up."""
_MOST_OVERLAP = 0.6
"""Of three-word shingles with the seed's question: more is a copy with a word changed."""


class Rephrase:
    def __init__(self, setup: Setup, spec: RephraseSpec) -> None:
        self._ensemble = spec.ensemble
        self._preference = spec.preference
        # Exact: 0.28 of 25 chains are 7, and not a little more.
        self._needed = math.ceil(Fraction(str(spec.ensemble.vote)) * spec.ensemble.samples)
        self._rephraser = setup.agent(
            "rephraser", sampling=SamplingSpec(temperature=0.9, top_p=0.95, max_tokens=300), schema=_SCHEMA
        )
        self._solver = setup.agent(
            "solver", sampling=SamplingSpec(temperature=0.3, max_tokens=400), template="cot/solver"
        )

    async def make(self, context: UnitContext) -> Draft:
        seed = context.variables["seed"]
        question, answer = str(seed["question"]), reference_answer(str(seed["answer"]))
        styles = context.rng.sample(_STYLES, _WORDINGS)
        wording, style = await self._reword(context, question, styles)
        chains = await self._solve_again(context, wording, answer)
        kept = sound_chains(chains, wording, answer)[0]
        asked, reply = Message("user", wording), Message("assistant", kept.text, reasoning=kept.reasoning)
        extra: Json = {"answer": answer, "style": style}
        if self._preference and (wrong := wrong_chain(Evidence(tuple(chains)), wording, answer)) is not None:
            worse, separates = wrong
            rejected = Response(Message("assistant", worse.text, reasoning=worse.reasoning), 0.0, separates)
            extra |= preference_columns((asked,), Response(reply, 1.0, "right"), rejected, separates)
        return Draft(
            messages=(asked, reply), text=wording, scores={"agreement": round(share_of(chains, answer), 4)}, extra=extra
        )

    async def outline(self, context: UnitContext) -> None:
        """One wording that passes, and as many chains as must agree."""
        question = str(context.variables["seed"]["question"])
        visible = {"question": question, "style": _STYLES[0], "numbers": []}
        reply = await self._rephraser.ask(context, visible)
        await solve(self._solver, context, {"question": reply.value["question"]}, self._needed)

    async def _reword(self, context: UnitContext, question: str, styles: list[str]) -> tuple[str, str]:
        complaint: Rejected | None = None
        numbers = re.findall(r"\d[\d,.]*\d|\d", question)
        for sample, style in enumerate(styles):
            visible = {"question": question, "style": style, "numbers": numbers}
            reply = await self._rephraser.ask(context, visible, sample=sample)
            wording = str(reply.value["question"]).strip()
            complaint = _complaint(question, wording)
            if complaint is None:
                return wording, style
        assert complaint is not None
        raise complaint

    async def _solve_again(self, context: UnitContext, wording: str, answer: str) -> list[Chain]:
        """As many chains as can decide it: the rest is not asked for once enough agree, or too few can. For preference
        data it goes on until one is wrong."""
        samples = self._ensemble.samples
        needed = self._needed
        chains: list[Chain] = []
        while len(chains) < samples:
            right = round(share_of(chains, answer) * len(chains)) if chains else 0
            if right + samples - len(chains) < needed:
                break
            if right >= needed and not (self._preference and right == len(chains)):
                break
            chains += await solve(
                self._solver, context, {"question": wording}, max(needed - right, 1), first_sample=len(chains)
            )
        if round(share_of(chains, answer) * len(chains)) < needed:
            found = ", ".join(chain.answer or "none" for chain in chains)
            raise Rejected("answer", f"solved again it gives {found}, not the seed's {answer}", text=wording)
        return chains


def _complaint(question: str, wording: str) -> Rejected | None:
    """What a program can see wrong with a new wording."""
    before, after = quantities(question), quantities(wording)
    lost, added = before.keys() - after.keys(), (after - before).keys()
    if lost:
        return Rejected("quantities", f"it left out {', '.join(map(str, sorted(lost)))}", text=wording)
    if added:
        return Rejected("quantities", f"it added {', '.join(map(str, sorted(added)))}", text=wording)
    if question.rstrip().endswith("?") and not wording.endswith("?"):
        return Rejected("form", "it did not end in a question mark", text=wording)
    if wording.count("?") > max(1, question.count("?")):
        return Rejected("form", "it asked more than the old wording", text=wording)
    if overlap(question, wording) > _MOST_OVERLAP:
        return Rejected("copy", "it was nearly the same as the old wording", text=wording)
    return None
