"""Sets the counts that a recipe's ``mix`` divides its total into, before the schema asks for them."""

from __future__ import annotations

from pathlib import Path

from synth.errors import SynthError
from synth.messages import Json
from synth.recipe.mix import MOST_IN_ALL, SORTS, auto_weights, divide
from synth.recipe.plain import listing, mapping
from synth.recipe.problems import Problems, did_you_mean
from synth.recipe.schema import SeedsSpec
from synth.recipe.yaml import KeyPath
from synth.seeds import read_seeds


def fill_counts(data: Json, base: Path, problems: Problems) -> None:
    """Set ``count`` in every generator of ``data`` that has none and that ``mix`` gives one. Adds a problem where its
    total cannot be divided."""
    if data.get("mix") is None:
        return
    mix, generators = mapping(data["mix"]), [mapping(one) for one in listing(data.get("generate"))]
    open_ones = [place for place, generator in enumerate(generators) if "count" not in generator]
    total = mix.get("total")
    if not open_ones:
        if generators and not any(("generate", place, "count") in problems.origins for place in range(len(generators))):
            hint = "leave out the counts that it should choose"
            problems.at_key(("mix",), "'mix' has nothing to divide: every generator has a 'count'", hint)
        return
    chosen = [generators[place] for place in open_ones]
    for generator in chosen:
        generator["count"] = 1  # what is wrong with the mix is said once, and not again for every generator
    if not isinstance(total, int) or isinstance(total, bool) or not 1 <= total <= MOST_IN_ALL:
        return
    if total < len(chosen):
        problems.at(
            ("mix", "total"), f"{total} cannot be divided among {len(chosen)} generators: each makes one at least"
        )
        return
    weights = _weights(mix, chosen, open_ones, data, base, problems)
    if weights is not None:
        for generator, count in zip(chosen, divide(total, weights), strict=True):
            generator["count"] = count


def _weights(
    mix: Json, chosen: list[Json], places: list[int], data: Json, base: Path, problems: Problems
) -> list[float] | None:
    """A weight for each of ``chosen``, which stand at ``places``; None with a problem added where there is none."""
    shares = mix.get("shares", "auto")
    ids = [str(generator.get("id", generator.get("kind", ""))).rpartition(":")[2] for generator in chosen]
    if isinstance(shares, dict):
        return _given(shares, ids, data, problems)
    unknown = [(place, one) for place, one in zip(places, chosen, strict=True) if one.get("kind") not in SORTS]
    for place, generator in unknown:
        at: KeyPath = ("generate", place)
        message = f"'shares: auto' does not know what kind {generator.get('kind')} does with a seed"
        problems.at(at, message, f"give it a count, or give mix shares: {{{ids[places.index(place)]}: 1, …}}")
    if unknown or shares != "auto":
        return None
    return auto_weights(chosen, int(mix["total"]), _count_seeds(data, base))


def _given(shares: Json, ids: list[str], data: Json, problems: Problems) -> list[float] | None:
    fit = True
    for name in shares:
        if name not in ids:
            everyone = [str(mapping(one).get("id", mapping(one).get("kind"))) for one in listing(data.get("generate"))]
            has_count = "it has a 'count' of its own" if name in everyone else did_you_mean(name, ids, "generators")
            problems.at_key(("mix", "shares", name), f"'mix' has no generator {name!r} to give a share to", has_count)
            fit = False
    for name in ids:
        if name not in shares:
            problems.at(("mix", "shares"), f"the generator {name!r} has neither a 'count' nor a share")
            fit = False
    weights = [shares.get(name) for name in ids]
    if not fit or not all(isinstance(weight, int | float) and weight > 0 for weight in weights):
        return None
    return [float(weight) for weight in weights if weight is not None]


def _count_seeds(data: Json, base: Path) -> int:
    """Seeds that the recipe has; 1 where they cannot be read, which is said elsewhere."""
    seeds = mapping(data.get("seeds"))
    try:
        return len(read_seeds(SeedsSpec.model_validate(seeds), base))
    except (SynthError, ValueError):
        return 1
