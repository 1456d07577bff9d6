"""What speaks for an answer: chains of thought that end in it, and programs that compute it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from synth.generators.answers import normalize_answer
from synth.generators.programs import Computed
from synth.generators.solving import Chain

_PROGRAM_WEIGHT = 2


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
        """Between 0 and 1: (share of the chains + 2 · share of the programs) / 3; the share of the chains where there
        are no programs. What is shared out are the kinds, so that neither outvotes the other by number; a program
        weighs twice, as it is right about twice as often (``benchmarks/README.md``)."""
        # Exact, so that a share meets a threshold which is written as that share.
        kinds = [(Fraction(candidate.chains, len(self.chains)), 1)] if self.chains else []
        if self.programs:
            kinds.append((Fraction(candidate.programs, len(self.programs)), _PROGRAM_WEIGHT))
        return float(sum(share * weight for share, weight in kinds) / sum(weight for _, weight in kinds))

    def winner(self) -> Candidate | None:
        """The best supported answer; where there are chains and programs, of those that both give. None without any,
        or on a tie."""
        ranked = [one for one in self.candidates() if self._is_confirmed(one)]
        if not ranked or (len(ranked) > 1 and self.support(ranked[0]) == self.support(ranked[1])):
            return None
        return ranked[0]

    def _is_confirmed(self, candidate: Candidate) -> bool:
        return bool(candidate.chains or not self.chains) and bool(candidate.programs or not self.programs)
