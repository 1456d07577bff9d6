"""Gate ``judge``: a panel of models judges each example by a rubric. Its calls are the unit's, journaled with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synth.agents.context import UnitContext
from synth.example import Draft, Verdict
from synth.gates.base import AskingGate
from synth.judging.panel import Assessment, Panel, Subject, reaches
from synth.recipe.gates import JudgeSpec
from synth.recipe.models import ModelSpec
from synth.recipe.rubric import load_rubric


class Judged(AskingGate):
    """Score: the rubric's, from 0 to 1. Without a single verdict that can be read it says no."""

    def __init__(self, spec: JudgeSpec, models: Mapping[str, ModelSpec], base: Path) -> None:
        self.name = spec.id
        self._min = spec.min
        self._panel = Panel(load_rubric(spec.rubric, base), models, spec.agents, role=f"gate-{spec.id}")
        self.prompts = self._panel.prompts

    async def ask(self, draft: Draft, context: UnitContext) -> Verdict:
        found = await self._panel.assess(context, Subject(draft.messages))
        if found.score is None:
            return Verdict(self.name, False, "no judge gave a verdict that can be read", judgement=found.to_dict())
        complaint = self._complaint(found, found.score)
        return Verdict(self.name, not complaint, complaint, round(found.score, 4), judgement=found.to_dict())

    def _complaint(self, found: Assessment, score: float) -> str:
        """What is less than ``min``, and why; empty where nothing is."""
        if not isinstance(self._min, dict):
            if reaches(score, self._min):
                return ""
            weakest = min(found.scores, key=lambda name: found.scores[name])
            return f"{score:.2f} is less than {self._min:g}; {weakest}: {found.reason(weakest)}"
        for name, level in self._min.items():
            got, needed = found.scores[name], found.rubric.criteria[name].score(level)
            if not reaches(got, needed):
                return f"{name} is {got:.2f}, and {level!r} is {needed:.2f}: {found.reason(name)}"
        return ""
