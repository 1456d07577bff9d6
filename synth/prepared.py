"""A recipe made ready to run: its seeds read, its generators built. Nothing has been asked of a model yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from synth.agents.guidance import LONG_TAIL
from synth.curation.reading import import_pyarrow
from synth.curation.seeds import CleanedSeeds, clean_seeds
from synth.diversity.personas import Persona, load_personas, shipped_personas
from synth.example import Seed
from synth.gates.base import AnyGate, AskingGate
from synth.gates.license import check_licenses
from synth.gates.registry import build_gates
from synth.generators.base import Generator, Setup
from synth.generators.registry import build_generator
from synth.messages import Json
from synth.plan import Plan
from synth.prompts import compile_template, names_in
from synth.recipe.axes import LongTailSpec
from synth.recipe.gates import LicenseSpec
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.kinds.custom import CustomSpec, PluginSpec
from synth.recipe.kinds.solved import PersonaSpec
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
            check_licenses(asked, seeds, base / recipe.seeds.path if recipe.seeds else None)
    generators: list[tuple[GeneratorSpec, Plan, Generator]] = []
    prompts: dict[str, str] = {}
    sources: dict[str, str] = {}
    steerings: list[Recipe] = []
    personas = _personas(recipe, base)
    for spec in recipe.generate:
        setup = Setup(spec, recipe.models, base, seeds)
        generator = build_generator(setup)
        steering = _steering(recipe, spec, setup)
        generators.append((spec, Plan(steering, spec, seeds, personas if steering.personas else ()), generator))
        steerings.append(steering)
        prompts |= setup.prompts
        sources |= setup.sources
    _refuse_unasked(loaded, steerings)
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


def _steering(recipe: Recipe, spec: GeneratorSpec, setup: Setup) -> Recipe:
    """``recipe`` with no more of what steers units than this generator's prompts ask for, so that its rows claim no
    more. What is the user's own, the steps of an ensemble or Python, is given everything."""
    if isinstance(spec, CustomSpec | PluginSpec):
        return recipe
    asked = set[str]().union(*(names_in(compile_template(source, "")) for source in setup.sources.values()))
    if isinstance(spec, PersonaSpec) and spec.personas:
        asked.discard("persona")
    without: Json = {}
    if not asked & {"guidance", "attributes"}:
        without |= {"axes": {}, "exclude": []}
    if not asked & {"guidance", "persona"}:
        without["personas"] = None
    if "guidance" not in asked:
        without["long_tail"] = LongTailSpec(typos=recipe.long_tail.typos)  # a program makes these
    return recipe.model_copy(update=without)


def _refuse_unasked(loaded: LoadedRecipe, steerings: Sequence[Recipe]) -> None:
    """Raises ``RecipeError`` with what no generator's prompts ask for: it would change nothing."""
    fields = ("axes", "personas", *(f"long_tail.{name}" for name in LONG_TAIL))
    read = {name: attrgetter(name) for name in fields}
    unasked = [name for name in fields if all(read[name](one) != read[name](loaded.recipe) for one in steerings)]
    if not unasked:
        return
    kinds = ", ".join(dict.fromkeys(spec.kind for spec in loaded.recipe.generate))
    problems = loaded.problems()
    for name in unasked:
        message = f"{name!r} would change nothing: no prompt of {kinds} asks for it"
        hint = "write {{ guidance }} in a prompt of your own, as in prompts: {solver: own.md.j2}, or leave it out"
        problems.at_key(tuple(name.split(".")), message, hint)
    problems.raise_if_any()
