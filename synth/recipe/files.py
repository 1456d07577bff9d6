"""Which files a recipe names, where in it, and whether they are there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from synth.recipe.gates import DecontaminateSpec, JudgeSpec, is_rubric_path
from synth.recipe.kinds.custom import CustomSpec
from synth.recipe.problems import Problems, nearest
from synth.recipe.schema import Recipe
from synth.recipe.yaml import KeyPath


def is_template_path(text: str) -> bool:
    """Whether a template in a recipe is the path of a file rather than the template itself."""
    return text.endswith(".j2") and "\n" not in text and "{" not in text


def named_files(recipe: Recipe) -> Iterator[tuple[KeyPath, str]]:
    """Every file but the seeds that examples depend on: where it is named, and its path relative to the recipe."""
    for name, model in recipe.models.items():
        if model.answers is not None:
            yield ("models", name, "answers"), model.answers
    if recipe.personas is not None and recipe.personas.path is not None:
        yield ("personas", "path"), recipe.personas.path
    for index, generator in enumerate(recipe.generate):
        at: KeyPath = ("generate", index)
        for role, path in generator.prompts.items():
            yield (*at, "prompts", role), path
        if isinstance(generator, CustomSpec):
            yield from ((path, text) for path, text in templates(generator, at) if is_template_path(text))
            if is_rubric_path(generator.prefer.rubric):
                yield (*at, "prefer", "rubric"), generator.prefer.rubric
    for index, gate in enumerate(recipe.gates):
        if isinstance(gate, DecontaminateSpec):
            yield from ((("gates", index, "files", number), path) for number, path in enumerate(gate.files))
        if isinstance(gate, JudgeSpec) and is_rubric_path(gate.rubric):
            yield ("gates", index, "rubric"), gate.rubric
    clean = recipe.seeds.clean if recipe.seeds is not None else None
    if clean is not None and clean.decontaminate is not None:
        at = ("seeds", "clean", "decontaminate", "files")
        yield from (((*at, number), path) for number, path in enumerate(clean.decontaminate.files))


def templates(custom: CustomSpec, at: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Every template of a ``custom`` generator that stands at ``at``, in the order in which they are rendered."""
    for index, step in enumerate(custom.steps):
        if step.system is not None:
            yield (*at, "steps", index, "system"), step.system
        yield (*at, "steps", index, "prompt"), step.prompt
        for field, text in (("when", step.when), ("until", step.until)):
            if text is not None:
                yield (*at, "steps", index, field), text
    if custom.accept is not None:
        yield (*at, "accept"), custom.accept
    for index, message in enumerate(custom.output.messages):
        yield (*at, "output", "messages", index, "content"), message.content
    if custom.output.text is not None:
        yield (*at, "output", "text"), custom.output.text


def check_file(at: KeyPath, path: str, base: Path, what: str, problems: Problems) -> bool:
    """Whether the file ``path``, which the recipe names at ``at``, is there; adds a problem where it is not."""
    found = base / path
    if os.path.isfile(found):  # unlike Path.is_file, False for a name that no file can have
        return True
    if os.path.isdir(found):
        problems.at(at, f"{what}: {path!r} is a folder, not a file")
        return False
    beside = {os.path.splitext(name)[0]: name for name in _beside(found)}
    close = nearest(found.stem, beside)
    hint = (
        f"did you mean {beside[close]!r}?" if close else f"looked for {str(found)!r}: paths are relative to the recipe"
    )
    problems.at(at, f"{what}: there is no file {path!r}", hint)
    return False


def _beside(path: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(path.parent) if name.endswith(path.suffix))[:200]
    except (OSError, ValueError):
        return []
