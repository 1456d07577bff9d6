"""No insults, threats and obscenities."""

from __future__ import annotations

from synth.curation.toxicity import Toxicity as Detector
from synth.example import Draft, Verdict
from synth.gates.base import texts
from synth.recipe.gates import ToxicitySpec


class Toxicity:
    """Score: the highest probability of a sentence. :mod:`synth.curation.toxicity` says what that model cannot see."""

    def __init__(self, spec: ToxicitySpec) -> None:
        self.name = spec.id
        self._spec = spec
        self._detector = Detector()

    def judge(self, draft: Draft) -> Verdict:
        said = [text for _, text in texts(draft, self._spec.roles)]
        probability, sentence = self._detector.worst(said)
        if probability > self._spec.max_probability:
            shown = sentence if len(sentence) <= 80 else f"{sentence[:79]}…"
            return Verdict(self.name, False, f"{shown!r} is offensive ({probability:.0%} sure)", probability)
        return Verdict(self.name, True, score=probability)
