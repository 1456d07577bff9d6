"""All kinds as one type: which one an entry of `generate` is, its `kind` says."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from synth.recipe.kinds.base import GeneratorSpec
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


def _kind_tag(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    if not isinstance(kind, str):
        return None
    return "<plugin>" if ":" in kind else f"<{kind}>"


Generator = Annotated[
    Annotated[RephraseSpec, Tag("<rephrase>")]
    | Annotated[CotSpec, Tag("<cot>")]
    | Annotated[AnswerSpec, Tag("<answer>")]
    | Annotated[QuestionSpec, Tag("<question>")]
    | Annotated[EvolveSpec, Tag("<evolve>")]
    | Annotated[PersonaSpec, Tag("<persona>")]
    | Annotated[BackwardSpec, Tag("<backward>")]
    | Annotated[ClassifySpec, Tag("<classify>")]
    | Annotated[ToolUseSpec, Tag("<tool_use>")]
    | Annotated[CustomSpec, Tag("<custom>")]
    | Annotated[PluginSpec, Tag("<plugin>")],
    Discriminator(_kind_tag),
]


KINDS: dict[str, type[GeneratorSpec]] = {
    "rephrase": RephraseSpec,
    "cot": CotSpec,
    "answer": AnswerSpec,
    "question": QuestionSpec,
    "evolve": EvolveSpec,
    "persona": PersonaSpec,
    "backward": BackwardSpec,
    "classify": ClassifySpec,
    "tool_use": ToolUseSpec,
    "custom": CustomSpec,
}
