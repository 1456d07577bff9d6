"""Which class judges for which gate. Those that need much are imported when a recipe asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from synth.errors import UsageError
from synth.example import Draft, Verdict
from synth.gates.base import AnyGate, Gate, MendingGate
from synth.gates.language import Language
from synth.gates.length import Length
from synth.gates.license import License
from synth.gates.refusal import Refusal
from synth.gates.repetition import Repetition
from synth.plugins import make_own
from synth.recipe.gates import (
    DecontaminateSpec,
    FormatSpec,
    GateSpec,
    JudgeSpec,
    LanguageSpec,
    LengthSpec,
    LicenseSpec,
    PiiSpec,
    PluginGateSpec,
    RefusalSpec,
    RepetitionSpec,
    ToxicitySpec,
)
from synth.recipe.models import ModelSpec


def build_gates(
    specs: Sequence[GateSpec], base: Path, models: Mapping[str, ModelSpec] | None = None
) -> tuple[AnyGate, ...]:
    """The gates of a recipe, in its order; ``models`` are those that a gate may ask.

    Raises ``UsageError`` for files, extras and classes that are not there.
    """
    return tuple(_build(spec, base, models or {}) for spec in specs)


def _build(spec: GateSpec, base: Path, models: Mapping[str, ModelSpec]) -> AnyGate:
    match spec:
        case LengthSpec():
            return Length(spec)
        case RefusalSpec():
            return Refusal(spec)
        case RepetitionSpec():
            return Repetition(spec)
        case FormatSpec():
            from synth.gates.format import Format

            return Format(spec)
        case LanguageSpec():
            return Language(spec)
        case DecontaminateSpec():
            from synth.gates.decontaminate import Decontaminate

            return Decontaminate(spec, base)
        case JudgeSpec():
            from synth.gates.judged import Judged

            return Judged(spec, models, base)
        case PiiSpec():
            from synth.gates.pii import Pii

            return Pii(spec)
        case ToxicitySpec():
            from synth.gates.toxicity import Toxicity

            return Toxicity(spec)
        case LicenseSpec():
            return License(spec)
        case PluginGateSpec():
            return _Own(spec, base)
        case other:
            raise AssertionError(f"no gate for {type(other).__name__}")


class _Own:
    """A user's own class under the name that the recipe gives it."""

    def __init__(self, spec: PluginGateSpec, base: Path) -> None:
        self.name = spec.id
        hint = "it is made with the options: see synth.gates.base.Gate"
        self._gate: Gate = make_own(spec.gate, base, spec.options, method="judge", hint=hint)
        self._where = spec.gate

    def judge(self, draft: Draft) -> Verdict:
        return self.mend(draft)[1]

    def mend(self, draft: Draft) -> tuple[Draft, Verdict]:
        if isinstance(self._gate, MendingGate):
            draft, verdict = self._gate.mend(draft)
        else:
            verdict = self._gate.judge(draft)
        if not isinstance(verdict, Verdict):
            raise UsageError(f"{self._where}.judge gave {type(verdict).__name__}, not a Verdict")
        return draft, replace(verdict, gate=self.name)
