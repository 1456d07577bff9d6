"""Kinds whose questions the chain-of-thought ensemble solves: `cot`, and those that multiply seeds."""

from __future__ import annotations

from typing import ClassVar, Literal

from synth.recipe.base import Filled
from synth.recipe.ensemble import AgreementSpec, DifficultySpec, EnsembleSpec
from synth.recipe.kinds.base import GeneratorSpec

ENSEMBLE_ROLES = ("solver", "programmer", "critic", "reviser", "judge", "picker")
"""Who works in a chain-of-thought ensemble."""


class SolvedSpec(GeneratorSpec):
    """What every kind has whose questions the chain-of-thought ensemble solves."""

    roles: ClassVar[tuple[str, ...]] = ENSEMBLE_ROLES
    writers: ClassVar[tuple[str, ...] | None] = ("solver",)
    needs: ClassVar[tuple[str, ...]] = ("question",)
    ensemble: EnsembleSpec = EnsembleSpec()
    """How many chains, what else speaks for an answer, and how much of it must agree."""
    chain: Literal["content", "reasoning_content"] = "content"
    """Where the chain goes: into the answer's text, or apart from it, with the answer alone as the text."""


class CotSpec(SolvedSpec):
    """Chains of thought for a seed's question, kept when the answer is right.

    Roles: `solver`, `programmer`, `critic`, `reviser`, `judge`, `picker`, `coder`. Seed fields: `question`, and
    `answer` where it is known; otherwise chains and programs that agree decide. With `tests` (Python that raises) the
    answer is a program, kept when it passes them in a sandbox."""

    roles = (*ENSEMBLE_ROLES, "coder")
    near_own_seed = True
    kind: Literal["cot"]
    """Chains of thought for a seed's question."""
    difficulty: DifficultySpec = DifficultySpec()
    """Keep only questions this difficult for the solvers."""


class RephraseSpec(GeneratorSpec):
    """A new wording of a seed's question whose answer stays, checked by solving it again.

    Roles: `rephraser`, `solver`. Seed fields: `question`, `answer`."""

    roles = ("rephraser", "solver")
    needs = ("question", "answer")
    writers = ("rephraser",)
    near_own_seed = True
    kind: Literal["rephrase"]
    """A new wording of a seed's question whose answer stays."""
    ensemble: AgreementSpec = AgreementSpec()
    """How often the new wording is solved, and which share must reach the seed's answer."""


class AnswerSpec(SolvedSpec):
    """More correct answers to a seed's question, in other words and ways.

    Roles: those of `cot`. Seed fields: `question`, `answer`."""

    needs = ("question", "answer")
    near_own_seed = True
    kind: Literal["answer"]
    """More correct answers to a seed's question."""


class QuestionSpec(SolvedSpec):
    """A new question in a seed's spirit, kept when chains of thought and programs agree on its answer.

    Roles: `writer`, and those of `cot`. Seed field: `question`."""

    roles = ("writer", *ENSEMBLE_ROLES)
    writers = ("writer",)
    kind: Literal["question"]
    """A new question in a seed's spirit."""


class EvolveSpec(SolvedSpec):
    """A seed's question made harder, kept when chains of thought and programs agree on its answer.

    Roles: `writer`, and those of `cot`. Seed field: `question`."""

    roles = ("writer", *ENSEMBLE_ROLES)
    writers = ("writer",)
    near_own_seed = True
    kind: Literal["evolve"]
    """A seed's question made harder."""


class PersonaSpec(SolvedSpec):
    """A seed's question retold in one person's world; its numbers and its answer stay, and at least `ensemble.vote` of
    the chains that solve it reach that.

    Roles: `writer`, and those of `cot`. Seed fields: `question`, `answer` where it is known."""

    roles = ("writer", *ENSEMBLE_ROLES)
    writers = ("writer",)
    near_own_seed = True
    kind: Literal["persona"]
    """A seed's question retold for somebody."""
    personas: list[Filled] = []
    """For whom, such as `a nurse on night shift`. Unset: the recipe's personas, else the seed's field `persona`."""


class BackwardSpec(SolvedSpec):
    """A number of a seed's question becomes x and the answer is given: what is x? (FOBAR, self-verification)

    Roles: those of `cot`, and `writer` for self-verification. Seed fields: `question`, `answer`."""

    roles = ("writer", *ENSEMBLE_ROLES)
    needs = ("question", "answer")
    near_own_seed = True
    kind: Literal["backward"]
    """A seed's question asked backwards."""
    form: Literal["fobar", "self_verification"] = "fobar"
    """`fobar`: "If we know that the answer to this question is 7, what is the value of x?"; made by program alone.
    `self_verification`: a writer restates question and answer as a claim, and x is asked for."""
