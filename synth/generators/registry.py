"""Which class carries out which kind. Those that need much are imported when a recipe asks for them."""

from __future__ import annotations

from synth.generators.answer import Answer
from synth.generators.backward import Backward
from synth.generators.base import Generator, Setup
from synth.generators.classify import Classify
from synth.generators.cot import Cot
from synth.generators.custom import Custom
from synth.generators.persona import Persona
from synth.generators.question import Evolve, Question
from synth.generators.rephrase import Rephrase
from synth.plugins import make_own
from synth.recipe.kinds.classify import ClassifySpec
from synth.recipe.kinds.custom import CustomSpec, PluginSpec
from synth.recipe.kinds.solved import (
    AnswerSpec,
    BackwardSpec,
    CotSpec,
    EvolveSpec,
    PersonaSpec,
    QuestionSpec,
    RephraseSpec,
)
from synth.recipe.kinds.tool_use import ToolUseSpec


def build_generator(setup: Setup) -> Generator:
    """The generator that ``setup.spec`` asks for. Raises ``UsageError`` where the user's own class does not fit."""
    match setup.spec:
        case RephraseSpec() as spec:
            return Rephrase(setup, spec)
        case CotSpec() as spec:
            return Cot(setup, spec)
        case AnswerSpec() as spec:
            return Answer(setup, spec)
        case QuestionSpec() as spec:
            return Question(setup, spec)
        case EvolveSpec() as spec:
            return Evolve(setup, spec)
        case PersonaSpec() as spec:
            return Persona(setup, spec)
        case BackwardSpec() as spec:
            return Backward(setup, spec)
        case ClassifySpec() as spec:
            return Classify(setup, spec)
        case ToolUseSpec() as spec:
            from synth.generators.tool_use.choose import make_tool_use

            return make_tool_use(setup, spec)
        case CustomSpec() as spec:
            return Custom(setup, spec)
        case PluginSpec() as spec:
            hint = "it is made with a Setup and the options: see synth.generators.base.Generator"
            made: Generator = make_own(spec.kind, setup.base, setup, spec.options, method="make", hint=hint)
            return made
        case other:
            raise AssertionError(f"no generator for {type(other).__name__}")
