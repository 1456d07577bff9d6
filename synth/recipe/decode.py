"""What a recipe says of decoding where the model's logits can be reached."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from synth.recipe.base import Name, Number, Spec, Whole


class DecodeSpec(Spec):
    """CorrSynth (arXiv 2411.08553): texts are written together, and each is pushed away from the others."""

    method: Literal["corrsynth"]
    """How texts are written together."""
    contrast: Literal["cross", "intra", "hybrid"] = "hybrid"
    """Push away from texts of other labels, of the same label, or of both."""
    gamma: Number = Field(1.0, gt=0, le=10)
    """How much a text's own distribution counts."""
    delta: Number = Field(0.5, ge=0)
    """What is left of it where all texts agree; less pushes harder. At most `gamma`; equal to it: no contrast."""
    alpha: Number = Field(0.001, ge=0, le=1)
    """Only tokens at least so likely, compared with the likeliest, are possible."""
    group: Whole = Field(8, ge=2, le=256)
    """Texts written together: this many neighbours in the plan."""
    label: Name | None = None
    """The axis or seed field that says which label a text has. Unset: `label`."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.delta > self.gamma:
            raise PydanticCustomError(
                "delta", f"must have a delta of at most gamma: {self.delta:g} is more than {self.gamma:g}"
            )
        return self
