"""Checks what a recipe says of gates: their ids, the files they read, and what a judge is told to judge by."""

from __future__ import annotations

from pathlib import Path

from synth.errors import RecipeError, UsageError
from synth.messages import Json
from synth.recipe.files import check_file
from synth.recipe.gates import is_rubric_path
from synth.recipe.plain import listing, mapping
from synth.recipe.problems import Problems, did_you_mean
from synth.recipe.rubric import Rubric, load_rubric
from synth.recipe.yaml import KeyPath


def check_gates(data: Json, base: Path, problems: Problems) -> None:
    """Add a problem for every id given twice, file that is not there, model whose terms are not allowed, and level that
    a rubric does not have."""
    ids: dict[str, int] = {}
    for index, given in enumerate(listing(data.get("gates"))):
        gate: Json = {"gate": given} if isinstance(given, str) else mapping(given)
        kind, at = gate.get("gate"), ("gates", index)
        name = gate.get("id", kind.rpartition(":")[2] if isinstance(kind, str) else None)
        if isinstance(name, str):
            if name in ids:
                message = f"two gates have the id {name!r}: gates.{ids[name]} has it too"
                problems.at(at, message, "give one of them an 'id' of its own: its score gets that name")
            ids.setdefault(name, index)
        if kind == "decontaminate":
            check_benchmarks(at, gate, base, problems)
        if kind == "judge":
            _check_judge(at, gate, data, base, problems)
        if kind == "license":
            _check_terms(at, gate, data, problems)


def check_benchmarks(at: KeyPath, options: Json, base: Path, problems: Problems) -> None:
    """Add a problem for each benchmark file in the ``options`` at ``at`` that is not there."""
    for number, path in enumerate(listing(options.get("files"))):
        if isinstance(path, str):
            check_file((*at, "files", number), path, base, "benchmark file", problems)


def _check_terms(at: KeyPath, gate: Json, data: Json, problems: Problems) -> None:
    """What a gate ``license`` says of the recipe's models: each must have terms, and they must be allowed."""
    allowed = [name for name in listing(gate.get("allow")) if isinstance(name, str)]
    terms = mapping(gate.get("models"))
    for name in mapping(data.get("models")):
        if terms.get(name) is None:
            hint = f"read them, and say so: models: {{{name}: …}}; allowed are {', '.join(allowed)}"
            problems.at(at, f"the gate does not know the terms of the model {name!r}", hint)
        elif str(terms[name]).casefold() not in {one.casefold() for one in allowed}:
            message = f"the gate does not allow the model {name!r}: its terms are {terms[name]!r}"
            problems.at((*at, "models", name), message, f"use another model; allowed are {', '.join(allowed)}")


def _check_judge(at: KeyPath, gate: Json, data: Json, base: Path, problems: Problems) -> None:
    models = mapping(data.get("models"))
    for number, agent in enumerate(listing(gate.get("agents"))):
        model = agent if isinstance(agent, str) else mapping(agent).get("model")
        if isinstance(model, str) and models and model not in models:
            place = (*at, "agents", number) if isinstance(agent, str) else (*at, "agents", number, "model")
            problems.at(place, f"there is no model {model!r}", did_you_mean(model, models, "models"))
    rubric = check_rubric((*at, "rubric"), gate.get("rubric", "helpfulness"), base, problems)
    if rubric is None:
        return
    for name, level in mapping(gate.get("min")).items():
        place = (*at, "min", name)
        if name not in rubric.criteria:
            hint = did_you_mean(name, rubric.criteria, "criteria")
            problems.at_key(place, f"the rubric has no criterion {name!r}", hint)
        elif isinstance(level, str) and level not in rubric.criteria[name].scale:
            hint = did_you_mean(level, rubric.criteria[name].scale, "levels")
            problems.at(place, f"{name!r} has no level {level!r}", hint)


def check_rubric(at: KeyPath, name: object, base: Path, problems: Problems) -> Rubric | None:
    """The rubric that the recipe names at ``at``; None with a problem added where it cannot be used."""
    if not isinstance(name, str) or (is_rubric_path(name) and not check_file(at, name, base, "rubric", problems)):
        return None
    try:
        return load_rubric(name, base)
    except RecipeError as error:
        for problem in error.problems:
            problems.add(problem)
    except UsageError as error:
        problems.at(at, error.message, error.hint)
    return None
