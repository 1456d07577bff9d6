"""The chain-of-thought ensemble that every kind with questions and answers solves with.

1. ``samples`` independent chains, over all given solvers in turn (self-consistency, arXiv 2203.11171).
2. The answer: the known one; else, of those that chains and executed programs both give, the best supported, if its
   support (:meth:`Evidence.support`) is at least ``vote``; else what the critic's judgement picks.
3. Of the chains that reach it, those with unsound arithmetic are dropped; of the rest the shortest is kept, or the one
   that the picker finds clearest.
4. None left: up to ``revise`` times, the critic names the fault, a new chain is written, and it is verified again.
"""

from __future__ import annotations

from dataclasses import dataclass

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.together import together
from synth.errors import Rejected
from synth.generators.answers import normalize_answer, parse_final_answer
from synth.generators.base import Setup
from synth.generators.evidence import Evidence
from synth.generators.programs import Computed, compute
from synth.generators.solving import Chain, fault_of, share_of, solve, sound_chains
from synth.messages import Json
from synth.prompts import load_template, shipped_template
from synth.recipe.ensemble import EnsembleSpec
from synth.recipe.models import SamplingSpec

_SOLVING = SamplingSpec(temperature=0.7, top_p=0.95, max_tokens=512)
_VERDICT: Json = {
    "type": "object",
    "properties": {"solution": {"type": "integer", "minimum": 0}},
    "required": ["solution"],
    "additionalProperties": False,
}
_MOST_JUDGED = 4


@dataclass(frozen=True, slots=True)
class Solved:
    """A question with its answer and the chain that is kept for it.

    ``answer`` is written as the seed or the chain has it. ``decided_by``: ``seed``, ``vote``, ``program``, ``judge`` or
    ``tests``. ``pass_rate`` is the share of the first chains that reach the answer. ``wrong`` is a chain to prefer the
    kept one to, with what is wrong with it, where there is one.
    """

    answer: str
    chain: Chain
    decided_by: str
    pass_rate: float
    support: float
    revised: int
    evidence: Evidence
    wrong: tuple[Chain, str] | None


class Ensemble:
    """Built once per generator; keeps nothing between units."""

    def __init__(self, setup: Setup, spec: EnsembleSpec, *, sampling: SamplingSpec = _SOLVING) -> None:
        self._spec = spec
        self._solvers = _solvers(setup, spec, sampling)
        critic = spec.critic
        program_sampling = SamplingSpec(temperature=0.5, top_p=0.95, max_tokens=400)
        self._programmer = setup.agent("programmer", sampling=program_sampling, template="cot/programmer")
        self._critic = setup.agent(
            "critic", sampling=SamplingSpec(temperature=0.3, max_tokens=200), template="cot/critic", ref=critic
        )
        self._reviser = setup.agent("reviser", sampling=sampling, template="cot/reviser")
        self._judge = setup.agent(
            "judge",
            sampling=SamplingSpec(temperature=0, max_tokens=100),
            schema=_VERDICT,
            template="cot/judge",
            ref=critic,
        )
        self._picker = setup.agent(
            "picker",
            sampling=SamplingSpec(temperature=0, max_tokens=100),
            schema=_VERDICT,
            template="cot/picker",
            ref=critic,
        )

    async def gather(self, context: UnitContext, question: str, *, programs: bool) -> Evidence:
        """Chains and, where ``programs``, programs: everything that can be asked for at once."""
        samples, solvers = self._spec.samples, self._solvers
        shares = [len(range(place, samples, len(solvers))) for place in range(len(solvers))]
        chains: list[Chain] = []
        computed: list[Computed] = []

        async def think(solver: Agent, share: int) -> list[Chain]:
            return await solve(solver, context, {"question": question}, share)

        async def program() -> list[Chain]:
            if programs and self._spec.programs:
                computed.extend(await compute(self._programmer, context, question, self._spec.programs))
            return []

        thinking = [think(solver, share) for solver, share in zip(solvers, shares, strict=True) if share]
        for part in await together([*thinking, program()]):
            chains += part
        return Evidence(tuple(chains), tuple(computed))

    async def solve(self, context: UnitContext, question: str, known: str | None) -> Solved:
        """Solve ``question``; ``known`` is its answer where that is known. Raises ``Rejected``."""
        evidence = await self.gather(context, question, programs=known is None)
        answer, decided_by = (known, "seed") if known else await self._decide(context, question, evidence)
        chain, revised = await self._keep(context, question, list(evidence.chains), answer)
        return Solved(
            answer=known or chain.answer or answer,
            chain=chain,
            decided_by=decided_by,
            pass_rate=share_of(list(evidence.chains), answer),
            support=next(
                (evidence.support(one) for one in evidence.candidates() if one.answer == normalize_answer(answer)), 0.0
            ),
            revised=revised,
            evidence=evidence,
            wrong=wrong_chain(evidence, question, answer),
        )

    async def _decide(self, context: UnitContext, question: str, evidence: Evidence) -> tuple[str, str]:
        winner = evidence.winner()
        if winner is not None and evidence.support(winner) >= self._spec.vote:
            return winner.answer, "program" if evidence.programs else "vote"
        if self._spec.critic is not None:
            return await self._judged(context, question, evidence), "judge"
        text = evidence.chains[0].text
        if winner is not None:
            reason = f"only {evidence.support(winner):.0%} of the evidence is for {winner.answer}"
            raise Rejected("vote", reason, text=text)
        if evidence.programs and evidence.candidates():
            raise Rejected("program", f"chains and programs do not meet: {_told(evidence)}", text=text)
        reason = (
            f"no answer has the most chains: {_told(evidence)}" if evidence.candidates() else "no chain has an answer"
        )
        raise Rejected("vote", reason, text=text)

    async def _judged(self, context: UnitContext, question: str, evidence: Evidence) -> str:
        """The answer of the chain that the judge picks, from one chain for each of the best supported answers."""
        shown: dict[str, Chain] = {}
        for candidate in evidence.candidates():
            chain = next((one for one in evidence.chains if _answer(one) == candidate.answer), None)
            if chain is not None and len(shown) < _MOST_JUDGED:
                shown[candidate.answer] = chain
        if not shown:
            raise Rejected("judge", "no chain has an answer to judge", text=evidence.chains[0].text)
        visible = {"question": question, "chains": [chain.text for chain in shown.values()]}
        picked = (await self._judge.ask(context, visible)).value["solution"]
        if not 1 <= picked <= len(shown):
            raise Rejected("judge", f"the judge finds none of {', '.join(shown)} right", text=evidence.chains[0].text)
        return list(shown)[int(picked) - 1]

    async def _keep(self, context: UnitContext, question: str, chains: list[Chain], answer: str) -> tuple[Chain, int]:
        for round_ in range(self._spec.revise + 1):
            try:
                return await self._pick(context, question, sound_chains(chains, question, answer)), round_
            except Rejected:
                if round_ == self._spec.revise:
                    raise
                chains = [*chains, await self._revise(context, question, chains, answer, round_)]
        raise AssertionError("the last round returns or raises")

    async def _pick(self, context: UnitContext, question: str, sound: list[Chain]) -> Chain:
        """One of the right chains, given shortest first; the shortest where the picker names none of them."""
        shown = list({chain.text: chain for chain in sound}.values())[:_MOST_JUDGED]
        if self._spec.keep == "shortest" or len(shown) == 1:
            return shown[0]
        visible = {"question": question, "chains": [chain.text for chain in shown]}
        try:
            picked = (await self._picker.ask(context, visible)).value["solution"]
        except Rejected as rejected:
            if rejected.gate == "template":
                raise
            return shown[0]
        return shown[int(picked) - 1] if 1 <= picked <= len(shown) else shown[0]

    async def _revise(
        self, context: UnitContext, question: str, chains: list[Chain], answer: str, round_: int
    ) -> Chain:
        """A new chain for the latest one. The answer that is wanted is told to nobody: a chain written towards a known
        answer invents the steps to it."""
        right = [chain for chain in chains if _answer(chain) == normalize_answer(answer)]
        old = (right or chains)[-1]
        complaint = fault_of(question, old) or "its final answer is not confirmed by other ways to solve it"
        visible = {"question": question, "chain": old.text, "complaint": complaint}
        critique = await self._critic.ask(context, visible, sample=round_)
        reply = await self._reviser.ask(context, {**visible, "critique": critique.text}, sample=round_)
        return Chain(reply.text, reply.reasoning, parse_final_answer(reply.text))


def _solvers(setup: Setup, spec: EnsembleSpec, sampling: SamplingSpec) -> list[Agent]:
    if not spec.solvers:
        return [setup.agent("solver", sampling=sampling, template="cot/solver")]
    agents = []
    for place, solver in enumerate(spec.solvers):
        role = f"solver{place}"
        prompt = load_template(setup.base / solver.prompt, solver.prompt) if solver.prompt else None
        agents.append(setup.agent_from(solver, role, prompt or shipped_template("cot/solver"), sampling=sampling))
    return agents


def wrong_chain(evidence: Evidence, question: str, answer: str) -> tuple[Chain, str] | None:
    """A chain with another answer, the one that most chains agree on; else one with the right answer and a fault."""
    wanted = normalize_answer(answer)
    for candidate in evidence.candidates():
        if candidate.answer != wanted and candidate.chains:
            chain = next(one for one in evidence.chains if _answer(one) == candidate.answer)
            return chain, f"wrong answer: {candidate.answer} instead of {wanted}"
    for chain in evidence.chains:
        fault = fault_of(question, chain) if chain.answer is not None else None
        if fault is not None:
            return chain, fault
    return None


def _answer(chain: Chain) -> str | None:
    return None if chain.answer is None else normalize_answer(chain.answer)


def _told(evidence: Evidence) -> str:
    return ", ".join(
        f"{one.answer} ({one.chains} chains, {one.programs} programs)" for one in evidence.candidates()[:4]
    )
