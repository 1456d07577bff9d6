"""Solve a question several times, and find the answer that the chains agree on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.together import together
from synth.errors import Rejected
from synth.generators.answers import normalize_answer, parse_final_answer
from synth.generators.arithmetic import dead_ends, unsupported_numbers, wrong_equations

_LAST_LINE = re.compile(r"Answer: ")


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain of thought. ``answer`` is as it was written, or None where no final answer was found."""

    text: str
    reasoning: str | None
    answer: str | None


async def solve(
    solver: Agent, context: UnitContext, variables: Mapping[str, Any], samples: int, *, first_sample: int = 0
) -> list[Chain]:
    """``samples`` independent chains, in order. A chain that was cut off or empty counts, without an answer."""
    numbers = range(first_sample, first_sample + samples)
    return await together(_chain(solver, context, variables, number) for number in numbers)


async def _chain(solver: Agent, context: UnitContext, variables: Mapping[str, Any], sample: int) -> Chain:
    try:
        answer = await solver.ask(context, variables, sample=sample)
    except Rejected as rejected:
        if rejected.gate == "template":
            raise
        return Chain(rejected.text, None, None)
    return Chain(answer.text, answer.reasoning, parse_final_answer(answer.text))


def share_of(chains: list[Chain], expected: str) -> float:
    """The share of chains whose answer is ``expected``."""
    wanted = normalize_answer(expected)
    return sum(chain.answer is not None and normalize_answer(chain.answer) == wanted for chain in chains) / len(chains)


def majority(chains: list[Chain]) -> tuple[str, float] | None:
    """The answer that most chains give, with its share of all chains; None without any answer, or on a tie."""
    votes = Counter(normalize_answer(chain.answer) for chain in chains if chain.answer is not None)
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0], ranked[0][1] / len(chains)


def sound_chains(chains: list[Chain], question: str, answer: str) -> list[Chain]:
    """The chains that reach ``answer`` with sound arithmetic: first those that end on the line that was asked for, then
    by length, shortest first. Raises ``Rejected`` if there is none.
    """
    wanted = normalize_answer(answer)
    right = [chain for chain in chains if chain.answer is not None and normalize_answer(chain.answer) == wanted]
    if not right:
        found = ", ".join(sorted({chain.answer or "none" for chain in chains}))
        raise Rejected("answer", f"no chain reached the answer {answer}; found {found}", text=chains[0].text)
    complaints = [fault_of(question, chain) for chain in right]
    sound = [chain for chain, complaint in zip(right, complaints, strict=True) if complaint is None]
    if not sound:
        raise Rejected("arithmetic", f"right answer, but {complaints[0]}", text=right[0].text)
    return sorted(sound, key=lambda chain: (not _LAST_LINE.match(chain.text.rpartition("\n")[2]), len(chain.text)))


def fault_of(question: str, chain: Chain) -> str | None:
    """What a program finds wrong with the steps of a chain, or None."""
    if "```" in chain.text:
        return "by code, with an output that nobody computed"
    wrong = wrong_equations(chain.text)
    if wrong:
        return f"through a false equation: {wrong[0]}"
    unsupported = unsupported_numbers(question, chain.text)
    if unsupported:
        return f"{unsupported[0]} comes from nowhere"
    dead = dead_ends(chain.text, chain.answer or "")
    return f"{dead[0]} leads nowhere" if dead else None
