"""``cot``: independent chains of thought for a seed's question; one whose answer is right goes out.

Right means the seed's answer where it has one, else the answer of the majority with at least ``ensemble.vote`` of the
chains (self-consistency, arXiv 2203.11171). Of the right chains, those with a false equation are dropped, and the
shortest of the rest is kept.
"""

from __future__ import annotations

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.solving import Chain, best_chain, majority, share_of, solve
from synth.messages import Message
from synth.recipe.schema import CotSpec, SamplingSpec


class Cot:
    def __init__(self, setup: Setup, spec: CotSpec) -> None:
        self._ensemble = spec.ensemble
        self._solver = setup.agent("solver", sampling=SamplingSpec(temperature=0.7, top_p=0.95, max_tokens=512))

    async def make(self, context: UnitContext) -> Draft:
        seed = context.variables["seed"]
        question = str(seed["question"])
        chains = await solve(self._solver, context, {"question": question}, self._ensemble.samples)
        answer, share = self._decide(chains, seed.get("answer"))
        kept = best_chain(chains, question, answer)
        return Draft(
            messages=(Message("user", question), Message("assistant", kept.text, reasoning=kept.reasoning)),
            text=kept.text,
            scores={"vote": round(share, 4)},
            extra={"answer": answer},
        )

    def _decide(self, chains: list[Chain], known: object) -> tuple[str, float]:
        if known is not None and str(known).strip():
            share = share_of(chains, str(known))
            if not share:
                found = ", ".join(sorted({chain.answer or "none" for chain in chains}))
                reason = f"no chain reached the seed's answer {known}; found {found}"
                raise Rejected("answer", reason, text=chains[0].text)
            return str(known), share
        winner = majority(chains)
        if winner is None:
            raise Rejected("vote", "the chains agree on no answer", text=chains[0].text)
        if winner[1] < self._ensemble.vote:
            raise Rejected("vote", f"only {winner[1]:.0%} of the chains agree on {winner[0]}", text=chains[0].text)
        return winner
