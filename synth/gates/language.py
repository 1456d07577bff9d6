"""Only these languages, as told by py3langid's n-gram model of 97 languages."""

from __future__ import annotations

from synth.curation.languages import detector
from synth.example import Draft, Verdict
from synth.gates.base import texts
from synth.recipe.gates import LanguageSpec


class Language:
    """Score: the detector's confidence in the language it found, the lowest over the messages."""

    def __init__(self, spec: LanguageSpec) -> None:
        self.name = spec.id
        self._spec = spec
        self._detect = detector(f"the gate {spec.id!r}", spec.languages)

    def judge(self, draft: Draft) -> Verdict:
        spec, least = self._spec, 1.0
        for role, text in texts(draft, spec.roles):
            if len(text.split()) < spec.min_words:
                continue
            language, confidence = self._detect(text)
            if language not in spec.languages and confidence >= spec.min_confidence:
                reason = f"a message of the {role} is in {language!r} ({confidence:.0%} sure)"
                return Verdict(self.name, False, reason, round(confidence, 4))
            least = min(least, confidence)
        return Verdict(self.name, True, score=round(least, 4))
