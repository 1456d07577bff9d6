"""The seeds of a recipe, read and checked against what its generators need of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from synth.errors import Problem, RecipeError
from synth.example import Seed
from synth.recipe.check_templates import check_seed_fields, seed_fields
from synth.recipe.decode import DecodeSpec
from synth.recipe.files import is_template_path, templates
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.kinds.classify import ClassifySpec
from synth.recipe.kinds.custom import CustomSpec
from synth.recipe.kinds.solved import PersonaSpec
from synth.recipe.load import LoadedRecipe
from synth.recipe.schema import Recipe
from synth.recipe.yaml import KeyPath
from synth.seeds import Need, read_what_can_be, require_fields


def load_seeds(loaded: LoadedRecipe) -> tuple[Seed, ...]:
    """The seeds of a recipe; none where it has none.

    Raises ``RecipeError`` with every row that cannot be used, or that lacks a field some generator needs.
    """
    spec = loaded.recipe.seeds
    if spec is None:
        return ()
    seeds, wrong = read_what_can_be(spec, loaded.base)
    file = loaded.base / spec.path
    problems = loaded.problems()
    columns = dict.fromkeys(name for seed in seeds for name in seed.fields)
    for at, text in _templates(loaded.recipe) if seeds else ():
        check_seed_fields(at, text, columns | spec.fields, loaded.base, problems)
    needs = [
        replace(need, may_be_missing=need.field in spec.fields)  # that its column is missing is among what is wrong
        for need in seed_needs(loaded.recipe, loaded.base)
        if need.field in columns or not need.may_be_empty
    ]
    try:
        require_fields(seeds, needs, file=file, wrong=wrong)
    except RecipeError as error:
        if not problems.found:
            raise
        for found in error.problems:
            problems.add(found)
    problems.raise_if_any()
    _check_labels(loaded.recipe, seeds, file)
    return seeds


def _templates(recipe: Recipe) -> Iterator[tuple[KeyPath, str]]:
    """The templates of `custom` generators that see the recipe's seeds."""
    for index, generator in enumerate(recipe.generate):
        if isinstance(generator, CustomSpec) and (generator.seeds_from is None or generator.curated):
            yield from templates(generator, ("generate", index))


def seed_needs(recipe: Recipe, base: Path) -> list[Need]:
    """What the generators need of every seed: their kind's fields filled, and what custom templates name present."""
    filled: dict[str, list[str]] = {}
    present: dict[str, list[str]] = {}
    for index, generator in enumerate(recipe.generate):
        if generator.seeds_from is not None and not generator.curated:
            continue
        user = f"generate.{index} ({generator.kind})"
        for name in (*generator.needs, *_labels(generator.decode, recipe), *_persona(generator, recipe)):
            if user not in filled.setdefault(name, []):
                filled[name].append(user)
        if isinstance(generator, CustomSpec):
            sources = [text for _, text in templates(generator, ("generate", index))]
            read = [(base / one).read_text("utf-8") if is_template_path(one) else one for one in sources]
            for name in sorted(set[str]().union(*map(seed_fields, read))):
                present.setdefault(name, []).append(user)
    needs = [Need(name, _join(users)) for name, users in filled.items()]
    return needs + [
        Need(name, _join(users), may_be_empty=True) for name, users in present.items() if name not in filled
    ]


def _labels(decode: DecodeSpec | None, recipe: Recipe) -> Iterator[str]:
    """The field that says which texts are of another label, where no axis does, and it was named or all is for it."""
    if decode is None or (label := decode.label or "label") in recipe.axes:
        return
    if decode.contrast == "cross" or "label" in decode.model_fields_set:
        yield label


def _persona(generator: GeneratorSpec, recipe: Recipe) -> Iterator[str]:
    """The field that says for whom to retell, where neither the kind nor the recipe does."""
    if isinstance(generator, PersonaSpec) and not generator.personas and recipe.personas is None:
        yield "persona"


def _check_labels(recipe: Recipe, seeds: Sequence[Seed], file: Path) -> None:
    """A label is one value, and a judge that has only one to choose from checks nothing."""
    if not any(isinstance(one, ClassifySpec) for one in recipe.generate):
        return
    wrong = [seed for seed in seeds if isinstance(seed.fields["label"], list | dict)]
    problems = [Problem(str(file), seed.line, 1, "the field 'label' must be text or a number") for seed in wrong]
    labels = {str(seed.fields["label"]).strip() for seed in seeds}
    if len(labels) == 1:
        message = f"every seed has the label {labels.pop()!r}: a judge could only agree"
        problems.append(
            Problem(str(file), seeds[0].line, 1, message, "kind classify needs seeds of two labels or more")
        )
    if problems:
        raise RecipeError(problems)


def _join(users: list[str]) -> str:
    return users[0] if len(users) == 1 else f"{', '.join(users[:-1])} and {users[-1]}"
