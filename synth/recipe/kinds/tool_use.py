"""Kind `tool_use`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from synth.recipe.base import Number, Whole
from synth.recipe.faults import FaultRates, FaultsSpec
from synth.recipe.kinds.base import GeneratorSpec


class ToolUseSpec(GeneratorSpec):
    """Conversations in which an assistant with tools serves a simulated user, verified by the environment's state.

    Roles: `planner` (puts tasks into words), `user`, `assistant`; where they are given, `reviewer` (sends a task back
    to the planner) and `judge` (a rubric beside the checks by program); where a model acts the tools out, `tool`, and
    without an environment, `inventor` (of the service and its tools) and `checker` (of these). Needs no seeds."""

    roles = ("planner", "user", "assistant", "reviewer", "judge", "tool", "inventor", "checker")
    gives = None
    kind: Literal["tool_use"]
    """Verified tool-use conversations."""
    environment: str | None = None
    """The name of a folder in `envs/`, beside the recipe or shipped, or a path. Unset: each conversation gets a service
    of its own, thought up from its seed or persona and acted out by a model."""
    max_turns: Whole = Field(20, ge=1, le=200)
    """Most answers of the assistant in one conversation."""
    actions: Whole = Field(1, ge=1, le=5)
    """A task takes from one to so many calls that change something."""
    solutions: Whole = Field(1, ge=1, le=8)
    """Conversations for a task; the best is kept, the others stand beside it in its row."""
    guided: bool = False
    """Tell the assistant the next step of the task's workflow while it generates (no values, and nothing of it is
    exported): small models need this."""
    refusals: Number = Field(0, ge=0, le=1)
    """The share of tasks whose right end is a refusal: the policy forbids what the user asks for."""
    give_ups: Number = Field(0, ge=0, le=1)
    """The share of tasks in which the user takes everything back on the way."""
    offer: Whole | None = Field(None, ge=1)
    """Most tools offered in a conversation: those of its workflow, and others as distractors. Default: all."""
    faults: FaultsSpec = FaultsSpec()
    """Faults injected into tool calls. Unset: those that the environment's `env.yaml` gives."""

    def rates(self) -> FaultRates | None:
        """What befalls tool calls; None where the recipe says nothing of it."""
        return self.faults.rates() if "faults" in self.model_fields_set else None

    @model_validator(mode="after")
    def _has_what_it_compares(self) -> ToolUseSpec:
        if self.preference and self.solutions < 2:
            raise ValueError("preference compares conversations: it needs solutions: 2 or more")
        if self.refusals + self.give_ups > 1:
            raise ValueError("refusals and give_ups add up to more than 1")
        return self
