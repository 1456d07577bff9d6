"""What a recipe says of gates: which look at every finished attempt, and how strict each is."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from synth.messages import Json
from synth.recipe.base import CLASS_PATH, IDENTIFIER, Name, Number, Spec, Whole, check_range
from synth.recipe.cleaning import DecontaminateOptions, LanguageCode, LicenseOptions, PiiOptions
from synth.recipe.ensemble import AgentRef

SpeakingRole = Literal["system", "user", "assistant"]


def _default_id(made: Json) -> str:
    return str(made["gate"]).rpartition(":")[2]


class GateSpec(Spec):
    """What every gate has."""

    gate: str
    id: Name = Field(default_factory=_default_id)
    """Names the verdict and the score in a row. Default: the gate; give one where the same gate stands twice."""


class TextGateSpec(GateSpec):
    """What every gate has that reads what was said."""

    roles: list[SpeakingRole] = Field(["assistant"], min_length=1)
    """Whose messages it looks at."""


class LengthSpec(TextGateSpec):
    """Messages that are neither too short nor too long. Score: words of the longest one."""

    gate: Literal["length"]
    """Messages that are neither too short nor too long."""
    min_words: Whole = Field(1, ge=0)
    """Fewest words of a message."""
    max_words: Whole | None = Field(None, ge=1)
    """Most words of a message."""
    min_chars: Whole = Field(0, ge=0)
    """Fewest characters of a message."""
    max_chars: Whole | None = Field(None, ge=1)
    """Most characters of a message."""

    @model_validator(mode="after")
    def _least_below_most(self) -> Self:
        check_range("words", self.min_words, self.max_words)
        check_range("chars", self.min_chars, self.max_chars)
        return self


class RefusalSpec(TextGateSpec):
    """No refusals, and nothing in which a model speaks of itself. Score: such phrases found."""

    gate: Literal["refusal"]
    """No refusals, and nothing in which a model speaks of itself."""
    phrases: list[str] = []
    """Further texts to refuse, in any case: your teacher's own habits."""


class RepetitionSpec(TextGateSpec):
    """No text that goes round in circles. Score: the largest share of it that was said before."""

    gate: Literal["repetition"]
    """No text that goes round in circles."""
    ngram: Whole = Field(4, ge=1, le=20)
    """Words in a row that count as a repetition when they come again in the same message."""
    max_share: Number = Field(0.3, gt=0, le=1)
    """Most of a message's n-grams that may repeat an earlier one."""
    max_lines: Number = Field(0.3, gt=0, le=1)
    """Most of a message's lines that may repeat an earlier one."""


class FormatSpec(GateSpec):
    """A conversation that trainers take: roles in order, nothing empty, every tool call known, valid and answered."""

    gate: Literal["format"]
    """A conversation that trainers take: roles in order, nothing empty, tool calls valid and answered."""


class LanguageSpec(TextGateSpec):
    """Only these languages. Score: how sure it is of the language it found. Needs the extra `clean`."""

    gate: Literal["language"]
    """Only these languages. Needs the extra `clean`."""
    languages: list[LanguageCode] = Field(["en"], min_length=1)
    """ISO 639-1 codes of the languages that may be spoken."""
    min_confidence: Number = Field(0.5, ge=0, le=1)
    """A message in another language is rejected where the detector is at least so sure of that."""
    min_words: Whole = Field(5, ge=1)
    """Shorter messages pass: nobody can tell their language."""


class DecontaminateSpec(DecontaminateOptions, GateSpec):
    """Nothing from the benchmarks that the trained model will be measured by. Score: share of n-grams found there."""

    gate: Literal["decontaminate"]
    """Nothing from the benchmarks that the trained model will be measured by."""


class PiiSpec(PiiOptions, GateSpec):
    """No personal data: rejected, marked or replaced. Score: how many pieces were found. Needs the extra `pii`."""

    gate: Literal["pii"]
    """No personal data: rejected, marked or replaced. Needs the extra `pii`."""


class ToxicitySpec(TextGateSpec):
    """No insults, threats and obscenities. Score: the highest probability of a sentence. Needs the extra `toxicity`."""

    gate: Literal["toxicity"]
    """No insults, threats and obscenities, in English. Needs the extra `toxicity`."""
    roles: list[SpeakingRole] = Field(["user", "assistant"], min_length=1)
    """Whose messages it looks at."""
    max_probability: Number = Field(0.9, gt=0, le=1)
    """Highest probability that a sentence is offensive."""


class LicenseSpec(LicenseOptions, GateSpec):
    """Only seeds and teachers whose terms allow it. A run that uses others is refused before anything is asked."""

    gate: Literal["license"]
    """Only seeds and teachers whose terms allow it: checked before the run begins."""
    models: dict[str, str] = {}
    """The licence or terms of each model, as you have read them: `{teacher: apache-2.0}`. A model of this recipe that
    is not named here is not allowed."""


def is_rubric_path(name: str) -> bool:
    """Whether a recipe's ``rubric`` is the user's own file rather than the name of a shipped one."""
    return name.endswith((".yaml", ".yml"))


def _number_or_levels(value: Any) -> Any:
    """Refuse here what the union would refuse twice, once for each of its members."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | dict):
        raise PydanticCustomError("min", "must be a number from 0 to 1, or {criterion: level}")
    return value


class JudgeSpec(GateSpec):
    """Models judge by a rubric. Score: the rubric's, from 0 to 1. It asks: put it after the gates that cost nothing."""

    gate: Literal["judge"]
    """Models judge by a rubric, and what they say stands in the row."""
    rubric: str = "helpfulness"
    """The name of a shipped rubric, or a `.yaml` file of your own, relative to the recipe."""
    agents: list[AgentRef] = []
    """The judges; their scores' mean counts. Unset: the first model alone."""
    min: Annotated[
        Annotated[Number, Field(ge=0, le=1), Tag("<number>")]
        | Annotated[dict[Annotated[str, Field(pattern=IDENTIFIER)], str], Tag("<mapping>")],
        Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<number>"),
        BeforeValidator(_number_or_levels),
    ] = 0.6
    """The lowest score that passes, from 0 to 1; or by criterion the lowest level: `{correct: yes}`."""


class PluginGateSpec(GateSpec):
    """A gate of your own, in Python."""

    gate: Annotated[str, Field(pattern=CLASS_PATH)]
    """`module:Class`; the class implements `synth.gates.base.Gate`."""
    options: Json = {}
    """Given to the class."""


GATES: dict[str, type[GateSpec]] = {
    "length": LengthSpec,
    "refusal": RefusalSpec,
    "repetition": RepetitionSpec,
    "format": FormatSpec,
    "language": LanguageSpec,
    "decontaminate": DecontaminateSpec,
    "judge": JudgeSpec,
    "pii": PiiSpec,
    "toxicity": ToxicitySpec,
    "license": LicenseSpec,
}
PLUGIN_TAG = "<gate plugin>"


def _tag(value: Any) -> str | None:
    gate = value.get("gate") if isinstance(value, dict) else getattr(value, "gate", None)
    if not isinstance(gate, str):
        return None
    return PLUGIN_TAG if ":" in gate else f"<{gate}>"


def _named(value: Any) -> Any:
    return {"gate": value} if isinstance(value, str) else value


_Gate = Annotated[
    Annotated[LengthSpec, Tag("<length>")]
    | Annotated[RefusalSpec, Tag("<refusal>")]
    | Annotated[RepetitionSpec, Tag("<repetition>")]
    | Annotated[FormatSpec, Tag("<format>")]
    | Annotated[LanguageSpec, Tag("<language>")]
    | Annotated[DecontaminateSpec, Tag("<decontaminate>")]
    | Annotated[JudgeSpec, Tag("<judge>")]
    | Annotated[PiiSpec, Tag("<pii>")]
    | Annotated[ToxicitySpec, Tag("<toxicity>")]
    | Annotated[LicenseSpec, Tag("<license>")]
    | Annotated[PluginGateSpec, Tag(PLUGIN_TAG)],
    Discriminator(_tag),
]
_BareName = (
    Literal["length", "refusal", "repetition", "format", "language", "judge", "pii", "toxicity"]
    | Annotated[str, Field(pattern=CLASS_PATH)]
)
Gate = Annotated[_Gate, BeforeValidator(_named, json_schema_input_type=_BareName | _Gate)]
"""A gate with its options, or only its name."""
