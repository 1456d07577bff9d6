"""Agents in roles, and how several of them become one answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from synth.recipe.base import Name, Number, Spec, Whole, text_or_mapping
from synth.recipe.models import SamplingSpec


class AgentSpec(Spec):
    """A model in a role: which model, and how it samples there."""

    model: Name
    """A name under `models`."""
    sampling: SamplingSpec = SamplingSpec()
    """Overrides the model's own, field by field."""


AgentRef = Annotated[
    Annotated[Name, Tag("<text>")] | Annotated[AgentSpec, Tag("<mapping>")],
    text_or_mapping("must be the name of a model, or {model: name, sampling: {…}}"),
]
"""A model's name, or `{model: name, sampling: {...}}`."""


class SolverSpec(AgentSpec):
    """One of several solvers of an ensemble."""

    prompt: str | None = None
    """A template of its own, as a path relative to the recipe. Unset: the shipped one."""


class DifficultySpec(Spec):
    """Which questions teach: 1 minus the share of the first chains that reach the answer."""

    min: Number = Field(0, ge=0, le=1)
    """At least so difficult; 0.2 leaves out what nearly every chain gets right."""
    max: Number = Field(1, ge=0, le=1)
    """At most so difficult."""

    @model_validator(mode="after")
    def _check_order(self) -> DifficultySpec:
        if self.min > self.max:
            raise PydanticCustomError("order", f"has min {self.min:g} above max {self.max:g}: nothing is so difficult")
        return self


class AgreementSpec(Spec):
    """How often a question is solved whose answer is known, and which share must reach it."""

    samples: Whole = Field(3, ge=1, le=64)
    """At most so many chains of thought; none is asked for once the others have decided."""
    vote: Number = Field(0.5, gt=0, le=1)
    """Smallest share of the chains that must reach the answer."""


class EnsembleSpec(Spec):
    """How several chains become one answer."""

    samples: Whole = Field(3, ge=1, le=64)
    """Independent chains of thought for a question."""
    vote: Number = Field(0.5, gt=0, le=1)
    """Where the answer is not known, the smallest support that is accepted: the share of the chains that agree on it;
    with programs, (share of the chains + 2 * share of the programs) / 3. Higher: fewer examples, and fewer wrong ones.
    A known answer decides alone; only of `persona` at least this share of the chains must reach it too."""
    programs: Whole = Field(2, ge=0, le=64)
    """Independent programs that compute the answer in a sandbox, where the seed does not give it; at least one has
    to reach the chains' answer. 0: the chains alone decide."""
    solvers: list[SolverSpec] = []
    """Solvers with models or prompts of their own, who share the samples in turn. Unset: one, in role `solver`."""
    critic: AgentRef | None = None
    """Judges where the vote does not decide, and criticises chains that are revised. Unset: the vote alone decides."""
    keep: Literal["shortest", "judge"] = "shortest"
    """Which of the right chains with sound arithmetic goes out: the shortest, or the one that the role `picker` finds
    the clearest of the four shortest."""
    revise: Whole = Field(0, ge=0, le=10)
    """Rounds of critique and revision where no chain reaches the answer by sound steps."""
