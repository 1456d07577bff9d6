"""``rephrase``: a new wording of a seed's question whose answer stays (question rephrasing, MetaMath arXiv 2309.12284).

A new wording is kept when a program finds every number of the old one in it and no other, and solving it again reaches
the seed's answer in at least ``ensemble.vote`` of the chains. The best of those chains goes out with it.
"""

from __future__ import annotations

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.quantities import quantities
from synth.generators.solving import best_chain, share_of, solve
from synth.messages import Message
from synth.recipe.schema import RephraseSpec, SamplingSpec

_SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string", "minLength": 10}},
    "required": ["question"],
    "additionalProperties": False,
}
_STYLES = (
    "as a short story about the person in it",
    "as a direct question in as few words as possible",
    "as a message to a friend",
    "the way a teacher reads it out in class",
    "starting with what is asked, then giving the facts",
    "in the first person",
    "with other everyday words and a different sentence order",
    "as one long sentence",
)


class Rephrase:
    def __init__(self, setup: Setup, spec: RephraseSpec) -> None:
        self._ensemble = spec.ensemble
        self._rephraser = setup.agent(
            "rephraser", sampling=SamplingSpec(temperature=0.9, top_p=0.95, max_tokens=400), schema=_SCHEMA
        )
        self._solver = setup.agent(
            "solver", sampling=SamplingSpec(temperature=0.3, max_tokens=512), template="cot/solver"
        )

    async def make(self, context: UnitContext) -> Draft:
        seed = context.variables["seed"]
        question, answer = str(seed["question"]), str(seed["answer"])
        style = context.rng.choice(_STYLES)
        reply = await self._rephraser.ask(context, {"question": question, "style": style})
        wording = str(reply.value["question"]).strip()
        _check_wording(question, wording)
        chains = await solve(self._solver, context, {"question": wording}, self._ensemble.samples)
        share = share_of(chains, answer)
        if share < self._ensemble.vote or not share:
            found = ", ".join(chain.answer or "none" for chain in chains)
            raise Rejected("answer", f"solved again it gives {found}, not the seed's {answer}", text=wording)
        kept = best_chain(chains, answer)
        return Draft(
            messages=(Message("user", wording), Message("assistant", kept.text, reasoning=kept.reasoning)),
            text=wording,
            scores={"agreement": round(share, 4)},
            extra={"answer": answer, "style": style},
        )


def _check_wording(question: str, wording: str) -> None:
    before, after = quantities(question), quantities(wording)
    if before != after:
        lost = ", ".join(map(str, sorted(before - after))) or "nothing"
        added = ", ".join(map(str, sorted(after - before))) or "nothing"
        raise Rejected("quantities", f"the new wording loses {lost} and adds {added}", text=wording)
    if not wording.rstrip().endswith("?"):
        raise Rejected("form", "the new wording does not end in a question", text=wording)
