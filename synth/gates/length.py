"""Messages that are neither too short nor too long."""

from __future__ import annotations

from synth.example import Draft, Verdict
from synth.gates.base import texts
from synth.recipe.gates import LengthSpec


class Length:
    """Counts words (between white space) and characters of each message. Score: words of the longest message."""

    def __init__(self, spec: LengthSpec) -> None:
        self.name = spec.id
        self._spec = spec

    def judge(self, draft: Draft) -> Verdict:
        spec, longest = self._spec, 0
        for role, text in texts(draft, spec.roles):
            words, chars = len(text.split()), len(text)
            longest = max(longest, words)
            for count, least, most, unit in (
                (words, spec.min_words, spec.max_words, "words"),
                (chars, spec.min_chars, spec.max_chars, "characters"),
            ):
                if count < least:
                    return Verdict(self.name, False, f"a message of the {role} has {count} {unit} of {least}", count)
                if most is not None and count > most:
                    reason = f"a message of the {role} has {count} {unit}, and {most} are allowed"
                    return Verdict(self.name, False, reason, count)
        return Verdict(self.name, True, score=longest)
