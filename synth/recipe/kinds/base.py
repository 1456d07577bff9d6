"""What every generator of a recipe has, whatever its kind."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from synth.messages import Json
from synth.recipe.base import Name, Spec, Whole
from synth.recipe.decode import DecodeSpec
from synth.recipe.ensemble import AgentRef


def _default_id(made: Json) -> str:
    return str(made["kind"]).rpartition(":")[2]


class GeneratorSpec(Spec):
    """What every generator has."""

    roles: ClassVar[tuple[str, ...]] = ()
    """The roles that agents play in this kind."""
    needs: ClassVar[tuple[str, ...]] = ()
    """The fields that every seed must have a value in."""
    writers: ClassVar[tuple[str, ...] | None] = ()
    """The roles whose words an example consists of: `decode` is for them. None: every agent's."""
    gives: ClassVar[tuple[str, ...] | None] = ("question", "answer")
    """The seed fields that an example has when it becomes a seed; None: it cannot become one."""
    curated: ClassVar[bool] = False
    """Whether it looks at the recipe's seeds even where its own are another generator's examples."""
    near_own_seed: ClassVar[bool] = False
    """Whether an example says again what its seed says, so that being close to it in meaning is no fault."""

    kind: str
    id: Name = Field(default_factory=_default_id)
    """Names the dataset file. Default: the kind; for your own, the class's name."""
    seeds_from: Name | None = None
    """A generator before this one: what it accepts are the seeds here, instead of the recipe's (a later generation)."""
    count: Whole = Field(ge=1, le=100_000_000)
    """Accepted examples to make, exactly."""
    preference: bool = False
    """Make preference data: every example also has `prompt`, `chosen` and `rejected` in TRL's layout, what `separates`
    them, and `responses` with their scores; where nothing worse was made, there is no example."""
    agents: dict[Name, AgentRef] = {}
    """Which model plays which role; roles not named here are played by the first model."""
    decode: DecodeSpec | None = None
    """How the agent that writes the example decodes, where the model's logits can be reached (vllm, transformers)."""
    prompts: dict[Name, str] = {}
    """Your own template for a role, instead of the shipped one: a path relative to the recipe."""
