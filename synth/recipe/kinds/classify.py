"""Kind `classify`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synth.recipe.base import Whole
from synth.recipe.kinds.base import GeneratorSpec


class ClassifySpec(GeneratorSpec):
    """Texts for a classifier, written for the label of a seed, kept when a judge gives them that label.

    Roles: `writer`, `judge`. Seed fields: `text`, `label`."""

    roles = ("writer", "judge")
    writers = ("writer",)
    needs = ("text", "label")
    curated = True
    gives = ("text", "label", "question", "answer")
    kind: Literal["classify"]
    """Texts for a classifier."""
    examples: Whole = Field(4, ge=1, le=50)
    """Seeds of the label that the writer sees."""
