"""Kind `tool_use`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synth.recipe.base import Whole
from synth.recipe.faults import FaultsSpec
from synth.recipe.kinds.base import GeneratorSpec


class ToolUseSpec(GeneratorSpec):
    """Conversations in which an assistant with tools serves a simulated user, verified by the environment's state.

    Roles: `planner` (puts tasks into words), `user`, `assistant`. Needs no seeds."""

    roles = ("planner", "user", "assistant")
    kind: Literal["tool_use"]
    """Verified tool-use conversations."""
    environment: str
    """The name of a folder in `envs/`, beside the recipe or shipped, or a path."""
    max_turns: Whole = Field(20, ge=1, le=200)
    """Most answers of the assistant in one conversation."""
    actions: Whole = Field(1, ge=1, le=5)
    """A task takes from one to so many calls that change something."""
    solutions: Whole = Field(1, ge=1, le=8)
    """Conversations for a task; the best is kept."""
    faults: FaultsSpec = FaultsSpec()
    """Faults injected into tool calls."""
