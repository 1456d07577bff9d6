"""What a recipe says of its axes: which values there are, how often each, and what does not go together."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from synth.recipe.base import Name, Number, Scalar, Spec, Whole

MOST_VALUES = 10_000

Values = Annotated[list[Scalar], Field(min_length=1, max_length=MOST_VALUES)]
Weights = Annotated[dict[str, Annotated[Number, Field(ge=0)]], Field(min_length=1, max_length=MOST_VALUES)]


def _values_tag(value: Any) -> str | None:
    return "<weights>" if isinstance(value, dict) else "<list>" if isinstance(value, list) else None


Choice = Annotated[
    Annotated[Values, Tag("<list>")] | Annotated[Weights, Tag("<weights>")],
    Discriminator(
        _values_tag,
        custom_error_type="values",
        custom_error_message="must be a list of values, or a mapping from value to weight",
    ),
]
"""`[a, b]`, each as often as the other, or `{a: 8, b: 2}`, by weight."""


class AxisSpec(Spec):
    """One axis in full: `values`, or a `range` in `bins`, or `values` that depend on the axis named in `by`."""

    values: Choice | None = None
    """`[a, b]`, or with weights `{a: 8, b: 2}`."""
    range: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    """Numbers from the first to the second: each example gets one, drawn from its bin."""
    bins: Whole = Field(4, ge=1, le=1000)
    """Equal parts of `range`; a part counts as one value for coverage and weights."""
    whole: bool = False
    """Only whole numbers of `range`, its ends included."""
    by: Name | None = None
    """The axis that decides which values this one may have; it must stand before."""
    choices: dict[str, Choice] = {}
    """With `by`: the values for each value of that axis, as in `{France: [Paris, Lyon], Japan: [Tokyo]}`."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = [name for name in ("values", "range", "by") if getattr(self, name) is not None]
        if len(given) != 1:
            raise PydanticCustomError("axis", "must have exactly one of values, range and by")
        if bool(self.choices) != (self.by is not None):
            raise PydanticCustomError("axis", "must have both `by` and `choices`, or neither")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise PydanticCustomError("axis", "must have a range whose first number is the smaller, as in [1, 10]")
        for choice in (self.values, *self.choices.values()):
            _check_choice(choice)
        return self


def _check_choice(choice: list[Any] | dict[str, float] | None) -> None:
    if isinstance(choice, dict) and not any(choice.values()):
        raise PydanticCustomError("axis", "must have a weight above 0")
    if isinstance(choice, list) and len({(type(value), value) for value in choice}) != len(choice):
        raise PydanticCustomError("axis", "names a value twice: use weights, as in {a: 8, b: 2}")


def _axis_tag(value: Any) -> str | None:
    return "<mapping>" if isinstance(value, dict | AxisSpec) else "<list>" if isinstance(value, list) else None


Axis = Annotated[
    Annotated[Values, Tag("<list>")] | Annotated[AxisSpec, Tag("<mapping>")],
    Discriminator(
        _axis_tag,
        custom_error_type="axis",
        custom_error_message="must be a list of values, or {values: …}, {range: [low, high]} or {by: axis, choices: …}",
    ),
]

Exclusion = Annotated[
    dict[Name, Scalar | Annotated[list[Scalar], Field(min_length=1)]],
    Field(min_length=1),
]
"""`{axis: value, other: [value, value]}`: what no example may be all of at once."""

Share = Annotated[Number, Field(ge=0, le=1)]


class LongTailSpec(Spec):
    """Shares of examples, each drawn on its own. Typos are made by a program; the rest is asked of the model."""

    typos: Share = 0
    """Slips of the keyboard in what the user says; numbers stay as they are."""
    dialect: Share = 0
    """Everyday regional speech."""
    contradiction: Share = 0
    """Someone who says something, and then takes part of it back."""
    emoji: Share = 0
    """A few emoji."""


class PersonasSpec(Spec):
    """Where personas come from."""

    path: str | None = None
    """A .jsonl file of your own, one object a line, relative to the recipe. Unset: the shipped set."""
    generate: Whole | None = Field(None, ge=1, le=10_000)
    """Have the first model write so many, with the shipped ones as examples. Journaled, and counted in budgets."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.path is not None and self.generate is not None:
            raise PydanticCustomError("personas", "must have path or generate, not both")
        return self
