"""Nothing from the benchmarks that the trained model will be measured by."""

from __future__ import annotations

from pathlib import Path

from synth.curation.benchmarks import Benchmarks
from synth.example import Draft, Verdict
from synth.recipe.gates import DecontaminateSpec


class Decontaminate:
    """All messages are looked at, each on its own. Score: the share of n-grams that a benchmark has; where meanings are
    compared and no words are found, the cosine with the nearest benchmark text."""

    def __init__(self, spec: DecontaminateSpec, base: Path) -> None:
        self.name = spec.id
        self._benchmarks = Benchmarks(spec, base)

    def judge(self, draft: Draft) -> Verdict:
        found = self._benchmarks.compare([message.content for message in draft.messages if message.content])
        return Verdict(self.name, not found.reason, found.reason, found.share or found.similarity)
