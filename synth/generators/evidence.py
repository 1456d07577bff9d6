"""What speaks for an answer: chains of thought that end in it, and programs that compute it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from synth.generators.answers import normalize_answer
from synth.generators.programs import Computed
from synth.generators.solving import Chain


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer, with how many of the chains and of the programs give it."""

    answer: str
    chains: int
    programs: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """All chains and programs for one question."""

    chains: tuple[Chain, ...]
    programs: tuple[Computed, ...] = ()

    def candidates(self) -> list[Candidate]:
        """Every answer that was given, the best supported first; of equals the one that comes first as text."""
        chains = Counter(normalize_answer(chain.answer) for chain in self.chains if chain.answer is not None)
        programs = Counter(normalize_answer(run.answer) for run in self.programs if run.answer is not None)
        found = [Candidate(answer, chains[answer], programs[answer]) for answer in chains.keys() | programs.keys()]
        return sorted(found, key=lambda one: (-self.support(one), -one.chains, one.answer))

    def support(self, candidate: Candidate) -> float:
        """Between 0 and 1: the mean of the two shares, of chains and of programs, so that neither kind outvotes the
        other by number; the share of chains where there are no programs."""
        shares = [candidate.chains / len(self.chains)] if self.chains else []
        if self.programs:
            shares.append(candidate.programs / len(self.programs))
        return sum(shares) / len(shares)

    def winner(self) -> Candidate | None:
        """The best supported answer; None without any, or on a tie."""
        ranked = self.candidates()
        if not ranked or (len(ranked) > 1 and self.support(ranked[0]) == self.support(ranked[1])):
            return None
        return ranked[0]
