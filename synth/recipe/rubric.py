"""Rubrics: what a judge looks at, and on which scale, as a YAML file that people read and copy.

    about: Whether an assistant's answer serves whoever asked.
    criteria:
      helpful:
        asks: Does the answer do what was asked?
        scale:                      # from worst to best; the judge answers with one of these words
          no: it does something else, or nothing
          partly: something that was asked for is missing
          yes: all that was asked for is there

A level's score is its place on the scale, from 0 for the worst to 1 for the best; the rubric's score is the mean over
its criteria, by their weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from synth.errors import Problem, RecipeError, UsageError
from synth.fingerprint import fingerprint_text
from synth.recipe.base import IDENTIFIER, Number, Spec
from synth.recipe.explain import explain
from synth.recipe.gates import is_rubric_path
from synth.recipe.problems import Problems, did_you_mean
from synth.recipe.yaml import YamlProblem, parse_yaml
from synth.shipped import shipped

CriterionName = Annotated[str, Field(pattern=IDENTIFIER, max_length=80)]


class Criterion(Spec):
    """One thing that a judge looks at."""

    asks: str = Field(min_length=1)
    """The question that the judge answers."""
    scale: dict[Annotated[str, Field(min_length=1, max_length=40)], str] = Field(min_length=2, max_length=11)
    """Levels from worst to best: the word that the judge answers with, and what it means."""
    weight: Number = Field(1, gt=0)
    """Its share in the rubric's score, beside the others'."""

    def score(self, level: str) -> float:
        """From 0 for the worst level to 1 for the best."""
        levels = list(self.scale)
        return levels.index(level) / (len(levels) - 1)


class RubricSpec(Spec):
    """A rubric as its file has it."""

    about: str = Field(min_length=1)
    """What is judged and for whom, in a sentence: the judge reads it first."""
    criteria: dict[CriterionName, Criterion] = Field(min_length=1, max_length=20)
    """What the judge looks at, by name."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """``name`` is a shipped rubric's name or the path of the user's own; ``hash`` is of the file's text."""

    name: str
    hash: str
    about: str
    criteria: Mapping[str, Criterion]

    def score(self, scores: Mapping[str, float]) -> float:
        """The weighted mean of ``scores`` by criterion, each from 0 to 1; of those that are given."""
        weights = {name: criterion.weight for name, criterion in self.criteria.items() if name in scores}
        return sum(weight * scores[name] for name, weight in weights.items()) / sum(weights.values())


def shipped_rubrics() -> list[str]:
    """The names of the rubrics that come with synth."""
    return sorted(path.stem for path in (shipped("prompts") / "rubrics").glob("*.yaml"))


def load_rubric(name: str, base: Path) -> Rubric:
    """The shipped rubric ``name``, or the one in the file ``name`` relative to ``base``.

    Raises ``UsageError`` where there is none, ``RecipeError`` with everything that is wrong in it.
    """
    if is_rubric_path(name):
        path = base / name
    elif name in (known := shipped_rubrics()):
        path = shipped("prompts") / "rubrics" / f"{name}.yaml"
    else:
        hint = did_you_mean(name, known, "rubrics that come with synth")
        raise UsageError(f"there is no rubric {name!r}", hint=f"{hint}; a file of your own ends in .yaml")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"rubric {str(path)!r} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"rubric {str(path)!r} is not UTF-8 text") from error
    spec = _parse(text, path)
    label = name if is_rubric_path(name) else f"rubrics/{name}"
    return Rubric(label, fingerprint_text(text), spec.about, spec.criteria)


def _parse(text: str, path: Path) -> RubricSpec:
    try:
        document = parse_yaml(text)
    except YamlProblem as error:
        raise RecipeError([Problem(str(path), error.line, error.column, error.message, error.hint)]) from error
    problems = Problems(str(path), document.keys, document.values, text.split("\n"))
    for found in document.problems:
        problems.add(Problem(str(path), found.line, found.column, found.message, found.hint))
    try:
        spec = RubricSpec.model_validate(document.data)
    except ValidationError as error:
        explain(error, problems, {}, RubricSpec)
        spec = None
    problems.raise_if_any()
    assert spec is not None
    return spec
