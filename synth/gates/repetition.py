"""Text that goes round in circles: word n-grams and lines that come again (after Rae et al. 2021, Gopher, A.1.1)."""

from __future__ import annotations

from synth.curation.repetition import repeated_share
from synth.diversity.words import words_of
from synth.example import Draft, Verdict
from synth.gates.base import texts
from synth.recipe.gates import RepetitionSpec


class Repetition:
    """Score: the largest share, of n-grams or of lines, that repeats an earlier one of its message."""

    def __init__(self, spec: RepetitionSpec) -> None:
        self.name = spec.id
        self._spec = spec

    def judge(self, draft: Draft) -> Verdict:
        spec, worst = self._spec, 0.0
        for role, text in texts(draft, spec.roles):
            words = words_of(text)
            ngrams = [tuple(words[i : i + spec.ngram]) for i in range(len(words) - spec.ngram + 1)]
            lines = [line for line in map(str.strip, text.splitlines()) if line]
            for items, most, unit in (
                (ngrams, spec.max_share, f"{spec.ngram}-word sequences"),
                (lines, spec.max_lines, "lines"),
            ):
                share = repeated_share(items)
                worst = max(worst, share)
                if share > most:
                    reason = f"{share:.0%} of the {unit} in a message of the {role} are repetitions"
                    return Verdict(self.name, False, reason, round(share, 4))
        return Verdict(self.name, True, score=round(worst, 4))
