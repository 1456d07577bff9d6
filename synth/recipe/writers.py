"""Which models write a generator's examples: those that `decode` is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synth.messages import Json
from synth.recipe.kinds.union import KINDS
from synth.recipe.plain import listing, mapping
from synth.recipe.schema import Recipe, dump


def writing_roles(generator: Json) -> tuple[str, ...] | None:
    """The roles whose words an example consists of. None: every agent's."""
    spec = KINDS.get(str(generator.get("kind")))
    return spec.writers if spec is not None else None


def writing_models(generator: Json, default: str) -> Iterator[str]:
    """The names of the models that write; ``default`` is who plays a role that the recipe does not cast.

    ``generator`` is an entry of `generate` as plain data, not checked yet.
    """
    roles = writing_roles(generator)
    if roles is not None:
        agents = mapping(generator.get("agents"))
        solvers = listing(mapping(generator.get("ensemble")).get("solvers")) if "solver" in roles else []
        yield from (_model(agents.get(role), default) for role in roles if not solvers or role != "solver")
        yield from (_model(solver, default) for solver in solvers)
    elif steps := listing(generator.get("steps")):
        yield from (_model(mapping(step).get("agent"), default) for step in steps)
    else:
        yield from (_model(agent, default) for agent in mapping(generator.get("agents")).values() or [None])


def decoding_models(recipe: Recipe) -> frozenset[str]:
    """The names of the models that some generator asks for a decoding of its own."""
    generators = dump(recipe)["generate"]
    return frozenset(
        name
        for generator in generators
        if generator["decode"] is not None
        for name in writing_models(generator, recipe.default_model)
    )


def _model(agent: Any, default: str) -> str:
    return agent if isinstance(agent, str) else str(mapping(agent).get("model", default))
