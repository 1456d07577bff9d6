"""What the models of the schema cannot say: names that refer to nothing, files that are not there, providers' needs.

It looks at plain data, not at a :class:`Recipe`, so that it also finds what else is wrong in a recipe that pydantic
refuses. Whatever has the wrong type has been reported by then and is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from synth.messages import Json
from synth.recipe.check_decode import check_decode
from synth.recipe.check_gates import check_benchmarks, check_gates, check_rubric
from synth.recipe.check_generations import check_generations
from synth.recipe.check_steps import check_steps
from synth.recipe.check_templates import check_template_file
from synth.recipe.ensemble import EnsembleSpec
from synth.recipe.environment_folder import environment_folder, known_environments
from synth.recipe.files import check_file
from synth.recipe.kinds.solved import SolvedSpec
from synth.recipe.kinds.union import KINDS
from synth.recipe.models import Provider
from synth.recipe.plain import listing, mapping
from synth.recipe.problems import Problems, did_you_mean, nearest
from synth.recipe.yaml import KeyPath

SEED_SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")

_NEED_MODEL = {
    "openai": "the name of a model at the endpoint",
    "vllm": "a model's name or folder, as `vllm serve` takes it",
    "transformers": "a model's name or folder",
}
_ONLY_FOR = {
    "answers": ("scripted",),
    "args": ("vllm",),
    "base_url": ("openai", "vllm"),
    "batch": ("openai",),
    "env": ("vllm",),
    "python": ("vllm",),
}
_EMBEDDERS = ("minilm", "off")
_ASKED_ONLY = {
    "judge": ("critic", "the ensemble has a critic", "the name of a model"),
    "critic": ("revise", "chains are revised", "2"),
    "reviser": ("revise", "chains are revised", "2"),
    "picker": ("keep", "a judge picks the chain that is kept", "judge"),
}
"""Roles of an ensemble that need a field of it: which, what that does, and a value to give it."""


def check(data: Json, base: Path, problems: Problems) -> None:
    """Add a problem for everything in the recipe ``data`` that refers to nothing; paths are relative to ``base``."""
    models = mapping(data.get("models"))
    for name, model in models.items():
        if isinstance(model, dict):
            _check_model(name, model, base, problems)
    seeds = data.get("seeds")
    if isinstance(seeds, dict):
        _check_seeds(seeds, base, problems)

    check_gates(data, base, problems)
    personas = mapping(data.get("personas")).get("path")
    if isinstance(personas, str):
        check_file(("personas", "path"), personas, base, "personas", problems)

    for name in sorted({"long_tail", "persona"} & {*mapping(data.get("axes"))}):
        message = f"no axis can have the name {name!r}: rows keep something else under it, beside the attributes"
        problems.at_key(("axes", name), message, "call it something else")

    embedder = mapping(data.get("diversity")).get("embedder")
    if isinstance(embedder, str) and embedder not in _EMBEDDERS and not (base / embedder).exists():
        close = nearest(embedder, _EMBEDDERS)
        if close is not None:  # any other may be a name that sentence-transformers knows
            problems.at(("diversity", "embedder"), f"there is no embedder {embedder!r}", f"did you mean {close!r}?")

    check_generations(data, problems)
    ids: dict[str, int] = {}
    for index, generator in enumerate(listing(data.get("generate"))):
        if not isinstance(generator, dict):
            continue
        at: KeyPath = ("generate", index)
        _check_id(at, generator, ids, problems)
        _check_generator(at, generator, data, base, problems)
        check_decode(at, generator, data, problems)
        for place, name in _agents(at, generator):
            if models and name not in models:
                problems.at(place, f"there is no model {name!r}", did_you_mean(name, models, "models"))


def _check_model(name: str, model: Json, base: Path, problems: Problems) -> None:
    at: KeyPath = ("models", name)
    provider = str(model.get("provider"))
    if provider in _NEED_MODEL and model.get("model") is None:
        problems.at(
            at, f"the model {name!r} has no 'model', which provider {provider} needs", f"give {_NEED_MODEL[provider]}"
        )
    for field, providers in _ONLY_FOR.items():
        if field in model and provider in get_args(Provider) and provider not in providers:
            problems.at_key(
                (*at, field), f"{field!r} means nothing for provider {provider}", f"it is for {' and '.join(providers)}"
            )
    if provider == "scripted" and isinstance(model.get("answers"), str):
        check_file((*at, "answers"), model["answers"], base, "answers", problems)
    if provider == "embedded" and (str(model.get("model")).endswith(".gguf") or "/" in str(model.get("model"))):
        check_file((*at, "model"), str(model["model"]), base, "model", problems)
    key = model.get("api_key")
    if isinstance(key, str) and "${" in key:
        problems.at(
            (*at, "api_key"), "'api_key' holds a '${' that names no variable", "write ${NAME}: letters, digits and '_'"
        )


def _check_seeds(seeds: Json, base: Path, problems: Problems) -> None:
    path = seeds.get("path")
    if not isinstance(path, str):
        return
    if Path(path).suffix.lower() not in SEED_SUFFIXES:
        problems.at(
            ("seeds", "path"), f"seeds are {', '.join(SEED_SUFFIXES[:-1])} or {SEED_SUFFIXES[-1]}, not {path!r}"
        )
    else:
        check_file(("seeds", "path"), path, base, "seeds", problems)
    check_benchmarks(
        ("seeds", "clean", "decontaminate"), mapping(mapping(seeds.get("clean")).get("decontaminate")), base, problems
    )


def _check_id(at: KeyPath, generator: Json, ids: dict[str, int], problems: Problems) -> None:
    kind = generator.get("kind")
    name = generator.get("id", kind.rpartition(":")[2] if isinstance(kind, str) else None)
    if not isinstance(name, str):
        return
    if name in ids:
        message = f"two generators have the id {name!r}: generate.{ids[name]} has it too"
        hint = "" if "id" in generator else "give one of them an 'id' of its own; the default is the kind"
        problems.at((*at, "id") if "id" in generator else (*at, "kind"), message, hint)
    ids.setdefault(name, int(at[1]))


def _check_generator(at: KeyPath, generator: Json, data: Json, base: Path, problems: Problems) -> None:
    kind = generator.get("kind")
    spec = KINDS.get(kind) if isinstance(kind, str) else None
    if spec is not None:
        for field in ("agents", "prompts"):
            for role in mapping(generator.get(field)):
                if role not in spec.roles:
                    hint = (
                        "agents are named in its steps" if kind == "custom" else did_you_mean(role, spec.roles, "roles")
                    )
                    problems.at_key((*at, field, role), f"kind {kind} has no role {role!r}", hint)
        if issubclass(spec, SolvedSpec):
            _check_ensemble(at, generator, spec, problems)
        for name in sorted({*spec.needs} & {*mapping(data.get("axes"))}):
            message = f"the axis {name!r} has the name of a seed field that kind {kind} reads"
            problems.at_key(("axes", name), message, "call it something else")
        own_seeds = spec.curated or generator.get("seeds_from") is None
        if spec.needs and own_seeds and data.get("seeds") is None:
            problems.at((*at, "kind"), f"kind {kind} expands seeds, and the recipe has none", "add seeds: {path: …}")
    for role, path in mapping(generator.get("prompts")).items():
        if isinstance(path, str):
            place = (*at, "prompts", role)
            if check_file(place, path, base, "prompt template", problems):
                check_template_file(place, base / path, problems)
    environment = generator.get("environment")
    if kind == "tool_use" and isinstance(environment, str) and environment_folder(environment, base) is None:
        hint = did_you_mean(environment, known_environments(base), "a folder with an env.yaml, or one of")
        problems.at((*at, "environment"), f"there is no environment {environment!r}", hint)
    if kind == "custom":
        check_steps(at, generator, data, base, problems)
        prefer = mapping(generator.get("prefer"))
        if "prefer" in generator and generator.get("preference") is not True:
            problems.at_key((*at, "prefer"), "'prefer' means nothing without 'preference: true'")
        check_rubric((*at, "prefer", "rubric"), prefer.get("rubric", "helpfulness"), base, problems)


def _check_ensemble(at: KeyPath, generator: Json, spec: type[SolvedSpec], problems: Problems) -> None:
    """What a recipe says of roles that its ensemble does not have, or never asks, and of votes that nobody takes."""
    ensemble = mapping(generator.get("ensemble"))
    if ensemble.get("solvers"):
        for field in ("agents", "prompts"):
            if "solver" in mapping(generator.get(field)):
                message = f"'{field}.solver' means nothing beside 'ensemble.solvers', which has every solver's own"
                problems.at_key((*at, field, "solver"), message)
    solvers, samples = listing(ensemble.get("solvers")), ensemble.get("samples", EnsembleSpec().samples)
    if isinstance(samples, int) and 1 <= samples < len(solvers):
        message = f"this solver is never asked: {len(solvers)} solvers, and 'samples' is {samples}"
        problems.at((*at, "ensemble", "solvers", samples), message, f"samples: {len(solvers)} asks everyone once")
    if "vote" in ensemble and "answer" in spec.needs:
        message = f"'vote' means nothing for kind {generator['kind']}: its answer is known, and decides alone"
        problems.at_key((*at, "ensemble", "vote"), message, "leave it out")
    for role, (field, where, value) in _ASKED_ONLY.items():
        if role in mapping(generator.get("agents")) and ensemble.get(field) in (None, 0, "shortest"):
            message = f"the role {role!r} is asked only where {where}"
            problems.at_key((*at, "agents", role), message, f"add ensemble: {{{field}: {value}}}")


def _agents(at: KeyPath, generator: Json) -> Iterator[tuple[KeyPath, str]]:
    """Where a generator names a model, and which."""
    named = [((*at, "agents", role), agent) for role, agent in mapping(generator.get("agents")).items()]
    steps = enumerate(listing(generator.get("steps")))
    for index, step in steps:
        agent = mapping(step).get("agent")
        place: KeyPath = (*at, "steps", index, "agent")
        named += [((*place, number), one) for number, one in enumerate(agent)] if isinstance(agent, list) else []
        named += [] if isinstance(agent, list) else [(place, agent)]
    judges = enumerate(listing(mapping(generator.get("prefer")).get("judges")))
    named += [((*at, "prefer", "judges", index), judge) for index, judge in judges]
    ensemble = mapping(generator.get("ensemble"))
    named.append(((*at, "ensemble", "critic"), ensemble.get("critic")))
    solvers = enumerate(listing(ensemble.get("solvers")))
    named += [((*at, "ensemble", "solvers", index), solver) for index, solver in solvers]
    for place, agent in named:
        if isinstance(agent, str):
            yield place, agent
        elif isinstance(name := mapping(agent).get("model"), str):
            yield (*place, "model"), name
