"""A policy: which rows may leave a run, as rules from predicate to action, in a YAML file that people sign off.

name: house-rules
version: 3
rules:
  - id: personal-data
    when: pii                      # an expression over the row, true where it is not empty
    then: redact
    needs: [purpose]               # nothing is exported until a purpose is stated
  - id: weak-support
    when: scores.support is defined and scores.support < 0.5
    then: review
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from synth.errors import Problem, RecipeError, UsageError
from synth.fingerprint import sha256_file
from synth.messages import Json
from synth.prompts import PromptError, compile_expression
from synth.recipe.base import Name, Spec, Whole
from synth.recipe.explain import explain
from synth.recipe.problems import Problems
from synth.recipe.yaml import YamlProblem, parse_yaml

Action = Literal["block", "quarantine", "redact", "review", "log"]
SEVERITY: tuple[Action, ...] = ("block", "quarantine", "redact", "review", "log")
"""The strongest first: of several rules that a row meets, the strongest decides whether it leaves."""


class RuleSpec(Spec):
    """From a predicate to what is done with the rows that meet it."""

    id: Name
    when: str
    """An expression in Jinja's language over the row: its columns, `text` (all that is said in it), `pii` (the sorts
    of personal data found in it). The row meets the rule where it is true, or not empty."""
    then: Action
    """`block`: no row leaves at all. `quarantine`: the row stays out, in a file of its own. `redact`: personal data and
    what `pattern` matches are marked out. `review`: stays out until a person marked it good. `log`: only noted."""
    pattern: str | None = None
    """`redact`: a regular expression for what to mark out, beside personal data."""
    needs: tuple[Literal["purpose"], ...] = ()
    """What must be stated before any row leaves, once a row meets the rule."""
    reason: str = ""
    """Why, for whoever reads the record."""


class PolicySpec(Spec):
    """A policy for what may leave a run."""

    name: Name
    version: Whole | str = Field()
    """Changes with every change of the rules; stands in each record."""
    rules: list[RuleSpec] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """``holds`` evaluates the predicate over the facts of a row; ``pattern`` is the spec's, compiled."""

    spec: RuleSpec
    holds: Callable[[Mapping[str, Any]], object]
    pattern: re.Pattern[str] | None = None

    @property
    def looks_for_pii(self) -> bool:
        return "pii" in self.spec.when


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as loaded; ``sha256`` is of its file."""

    name: str
    version: str
    sha256: str
    rules: tuple[Rule, ...]

    def to_dict(self) -> Json:
        return {"name": self.name, "version": self.version, "sha256": self.sha256}


def load_policy(path: Path) -> Policy:
    """Raises ``RecipeError`` with every problem at its line and column, ``UsageError`` where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"the policy {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the policy {path} is not UTF-8 text") from error
    try:
        document = parse_yaml(text)
    except YamlProblem as error:
        raise RecipeError([_problem(path, error)]) from error
    problems = Problems(str(path), document.keys, document.values, text.split("\n"))
    for found in document.problems:
        problems.add(_problem(path, found))
    spec = None
    try:
        spec = PolicySpec.model_validate(document.data)
    except ValidationError as error:
        explain(error, problems, {}, PolicySpec)
    rules = []
    by_id: set[str] = set()
    by_predicate: dict[str, RuleSpec] = {}
    for index, rule in enumerate(spec.rules if spec is not None else ()):
        try:
            pattern = None if rule.pattern is None else re.compile(rule.pattern)
            rules.append(Rule(rule, compile_expression(rule.when), pattern))
        except PromptError as error:
            hint = "it is an expression such as scores.support < 0.5, without {{ }}"
            problems.at(("rules", index, "when"), str(error), hint)
        except (re.error, OverflowError, RecursionError) as error:
            hint = "brackets and other signs that stand for themselves have a backslash before them"
            problems.at(("rules", index, "pattern"), f"this is no regular expression: {error}", hint)
        if rule.id in by_id:
            problems.at(("rules", index, "id"), f"two rules are called {rule.id!r}")
        by_id.add(rule.id)
        other = by_predicate.setdefault(" ".join(rule.when.split()), rule)
        if other.then != rule.then:
            told = f"{other.id!r} says {other.then} and {rule.id!r} says {rule.then}"
            problems.at(("rules", index, "then"), f"the policy contradicts itself: for the same rows {told}")
        if rule.then == "redact" and rule.pattern is None and "pii" not in rule.when:
            problems.at(("rules", index, "then"), "redact what?", "give a pattern, or a predicate on pii")
    problems.raise_if_any()
    assert spec is not None
    return Policy(spec.name, str(spec.version), sha256_file(path), tuple(rules))


def _problem(path: Path, found: YamlProblem) -> Problem:
    return Problem(str(path), found.line, found.column, found.message, found.hint)
