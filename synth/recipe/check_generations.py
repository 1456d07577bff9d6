"""Checks ``seeds_from``: only an earlier generator gives seeds, and only to one that can use what it makes."""

from __future__ import annotations

from synth.messages import Json
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.kinds.union import KINDS
from synth.recipe.plain import listing, mapping
from synth.recipe.problems import Problems, did_you_mean
from synth.recipe.yaml import KeyPath


def check_generations(data: Json, problems: Problems) -> None:
    """Add a problem for every ``seeds_from`` that names no earlier generator, or one whose examples lack a field."""
    generators = [mapping(one) for one in listing(data.get("generate"))]
    ids = [str(one.get("id", str(one.get("kind")).rpartition(":")[2])) for one in generators]
    for place, generator in enumerate(generators):
        source = generator.get("seeds_from")
        if not isinstance(source, str):
            continue
        at: KeyPath = ("generate", place, "seeds_from")
        kind, earlier = str(generator.get("kind")), ids[:place]
        if source in earlier:
            if kind == "tool_use" and "environment" in generator:
                problems.at(at, "conversations in an environment take no seeds")
            _check_fields(at, kind, str(generators[earlier.index(source)].get("kind")), source, problems)
        elif source == ids[place]:
            problems.at(at, f"{source!r} cannot take its own examples as seeds", "add a generator after it that does")
        elif source in ids:
            hint = "put it first: a generation takes seeds only from one before it, so that none feeds itself"
            problems.at(at, f"{source!r} is a later generator", hint)
        else:
            problems.at(at, f"there is no generator {source!r}", did_you_mean(source, earlier, "generators before it"))


def _check_fields(at: KeyPath, kind: str, from_kind: str, source: str, problems: Problems) -> None:
    spec, gives = KINDS.get(kind, GeneratorSpec), KINDS.get(from_kind, GeneratorSpec).gives
    if gives is None:
        problems.at(at, f"an example of kind {from_kind} cannot be a seed")
    elif from_kind in KINDS and from_kind != "custom":  # what a kind of the user's own has is seen when it is there
        for field in [name for name in spec.needs if name not in gives]:
            problems.at(at, f"kind {kind} needs the field {field!r}, and examples of {source!r} have none")
