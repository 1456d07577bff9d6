"""Which of the two ways of ``tool_use`` a recipe's environment takes."""

from __future__ import annotations

from synth.environments.spec import find_environment, load_environment
from synth.errors import UsageError
from synth.generators.base import Generator, Setup
from synth.generators.tool_use.acted import ActedToolUse
from synth.generators.tool_use.kind import ToolUse
from synth.recipe.kinds.tool_use import ToolUseSpec


def make_tool_use(setup: Setup, spec: ToolUseSpec) -> Generator:
    """Tools of code are verified by their state; acted out or on a server, by what was called, and a judge."""
    environment = None
    if spec.environment is not None:
        environment = load_environment(find_environment(spec.environment, setup.base))
        if environment.mode == "python":
            return ToolUse(setup, spec, environment)
    if spec.refusals:
        raise UsageError(
            f"generator {spec.id!r}: `refusals` needs an environment of mode python",
            hint="only its invariants tell what the policy forbids; remove `refusals`, or name such an environment",
        )
    return ActedToolUse(setup, spec, environment)
