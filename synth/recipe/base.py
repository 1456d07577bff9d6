"""What every part of the recipe's schema is built from: names, numbers, and the strict base model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field
from pydantic_core import PydanticCustomError, PydanticKnownError

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"
CLASS_PATH = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"
URL = r"^https?://."
FILLED = r"\S"

Name = Annotated[str, Field(pattern=NAME, max_length=80)]
"""A name that is also safe as a file name."""


Filled = Annotated[str, Field(pattern=FILLED)]
"""Text that says something."""


def _refuse_bool(kind: Literal["int_type", "float_type"]) -> BeforeValidator:
    def check(value: Any) -> Any:
        if isinstance(value, bool):
            raise PydanticKnownError(kind)
        return value

    return BeforeValidator(check)


def _need_scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool):
        raise PydanticCustomError("scalar", "must be text, a number, true or false")
    return value


Whole = Annotated[int, _refuse_bool("int_type")]
Number = Annotated[float, _refuse_bool("float_type")]
Scalar = Annotated[str | int | float | bool, BeforeValidator(_need_scalar)]


def text_or_mapping(otherwise: str) -> Discriminator:
    """Chooses between the tags `<text>` and `<mapping>`, so that an error speaks of what the user meant."""

    def tag(value: Any) -> str | None:
        if isinstance(value, str):
            return "<text>"
        return "<mapping>" if isinstance(value, dict | BaseModel) else None

    return Discriminator(tag, custom_error_type="text_or_mapping", custom_error_message=otherwise)


def text_or_mapping_or_list(otherwise: str) -> Discriminator:
    """As :func:`text_or_mapping`, with `<list>` besides."""

    def tag(value: Any) -> str | None:
        if isinstance(value, list):
            return "<list>"
        if isinstance(value, str):
            return "<text>"
        return "<mapping>" if isinstance(value, dict | BaseModel) else None

    return Discriminator(tag, custom_error_type="text_or_mapping", custom_error_message=otherwise)


def check_range(what: str, least: int | None, most: int | None) -> None:
    """For a model's validator: refuse a ``min_<what>`` above its ``max_<what>``."""
    if least is not None and most is not None and least > most:
        context = {"what": what, "least": least}
        raise PydanticCustomError("range", "must have a max_{what} of at least its min_{what}, {least}", context)


class Spec(BaseModel):
    """Base of all: unknown keys are errors, values are not changed after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False, protected_namespaces=()
    )
