"""A recipe made ready to run: its seeds read, its generators built. Nothing has been asked of a model yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synth.curation.reading import import_pyarrow
from synth.curation.seeds import CleanedSeeds, clean_seeds
from synth.diversity.personas import Persona, load_personas, shipped_personas
from synth.example import Seed
from synth.gates.base import AnyGate, AskingGate
from synth.gates.license import check_licenses
from synth.gates.registry import build_gates
from synth.generators.base import Generator, Setup
from synth.generators.registry import build_generator
from synth.plan import Plan
from synth.recipe.gates import LicenseSpec
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.load import LoadedRecipe
from synth.recipe.load_seeds import load_seeds
from synth.recipe.lock import Lock, make_lock
from synth.recipe.schema import Recipe


@dataclass(frozen=True, slots=True)
class Prepared:
    """``generators`` are in the recipe's order; ``cleaned`` says what ``seeds.clean`` did to the seeds, ``lock`` what a
    run of this would depend on, and ``prompts`` gives the templates' texts by their hashes."""

    loaded: LoadedRecipe
    seeds: tuple[Seed, ...]
    cleaned: CleanedSeeds | None
    generators: tuple[tuple[GeneratorSpec, Plan, Generator], ...]
    gates: tuple[AnyGate, ...]
    lock: Lock
    prompts: dict[str, str]


def prepare(loaded: LoadedRecipe) -> Prepared:
    """Read and check everything that a run needs from files. Raises ``UsageError`` (``RecipeError`` for places)."""
    recipe, base = loaded.recipe, loaded.base
    seeds, cleaned = clean_seeds(loaded, load_seeds(loaded))
    for asked in recipe.gates:
        if isinstance(asked, LicenseSpec):
            check_licenses(asked, recipe.models, seeds, base / recipe.seeds.path if recipe.seeds else None)
    generators: list[tuple[GeneratorSpec, Plan, Generator]] = []
    prompts: dict[str, str] = {}
    sources: dict[str, str] = {}
    personas = _personas(recipe, base)
    for spec in recipe.generate:
        setup = Setup(spec, recipe.models, base, seeds)
        generators.append((spec, Plan(recipe, spec, seeds, personas), build_generator(setup)))
        prompts |= setup.prompts
        sources |= setup.sources
    gates = build_gates(recipe.gates, base, recipe.models)
    for gate in gates:
        prompts |= gate.prompts if isinstance(gate, AskingGate) else {}
    if "parquet" in recipe.output.formats:  # said now, not when everything has been paid for
        import_pyarrow(Path("output.formats: parquet"))
    return Prepared(loaded, seeds, cleaned, tuple(generators), gates, make_lock(loaded, seeds, prompts), sources)


def _personas(recipe: Recipe, base: Path) -> tuple[Persona, ...]:
    """The personas that are there before a run; those to be written by a model come later."""
    if recipe.personas is None or recipe.personas.generate is not None:
        return ()
    return load_personas(base / recipe.personas.path) if recipe.personas.path is not None else shipped_personas()
