"""The user's own kinds: `custom`, an ensemble laid open as steps, and `module:Class`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from synth.messages import Json
from synth.recipe.base import CLASS_PATH, IDENTIFIER, Name, Number, Spec, Whole, text_or_mapping_or_list
from synth.recipe.ensemble import AgentRef, AgentSpec
from synth.recipe.kinds.base import GeneratorSpec


class StepSpec(Spec):
    """One step of a `custom` ensemble: one agent answers one prompt."""

    name: Annotated[str, Field(alias="as", pattern=IDENTIFIER)]
    """Later steps, `accept` and `output` see the result under this name."""
    agent: (
        Annotated[
            Annotated[Name, Tag("<text>")]
            | Annotated[AgentSpec, Tag("<mapping>")]
            | Annotated[list[AgentRef], Tag("<list>"), Field(min_length=1)],
            text_or_mapping_or_list("must be the name of a model, {model: name, sampling: {…}}, or a list of these"),
        ]
        | None
    ) = None
    """Unset: the first model. Of a list, the samples go to each in turn, those of later rounds and responses too."""
    samples: Whole = Field(1, ge=1, le=64)
    """Ask so many times; the result is the list of all answers, or with `vote` the one that wins."""
    vote: Number | None = Field(None, gt=0, le=1)
    """The answer that most samples agree on is the result, if they are at least this share; a tie is rejected."""
    when: str | None = None
    """A template; where it renders to false, 0, no, none, null or nothing, the step is left out and its result is
    none."""
    check: str | None = None
    """Python that raises where the result is not good enough, such as `assert len(draft) < 400, "too long"`. It runs
    in a sandbox with the standard library, and knows what a template of a later step knows."""
    until: str | None = None
    """A template; while it renders to false, the step is taken again."""
    again_from: Annotated[str, Field(pattern=IDENTIFIER)] | None = None
    """The earlier step to go back to when `until` or `check` is not satisfied. Unset: this one. The steps in between
    see each other's last results; none in the first round."""
    rounds: Whole = Field(3, ge=1, le=20)
    """With `until` or `check`: how often the step is taken before the attempt is rejected; so often again each time
    that a loop around it goes back."""
    system: str | None = None
    """A system message: text, or the path of a template."""
    prompt: str
    """A Jinja template: text, or the path of a template relative to the recipe (`*.j2`)."""
    schema_: Annotated[Json | None, Field(alias="schema")] = None
    """A JSON Schema; the result is then an object that satisfies it, otherwise text."""
    repairs: Whole = Field(2, ge=0, le=10)
    """How often an answer that does not satisfy the schema is sent back with what is wrong."""


class MessageTemplate(Spec):
    role: Literal["system", "user", "assistant"]
    """Who says it."""
    content: str
    """A Jinja template: text, or the path of a template."""


class OutputTemplate(Spec):
    """What a `custom` ensemble's example consists of."""

    messages: list[MessageTemplate] = Field(min_length=1)
    """The conversation, in order."""
    text: str | None = None
    """What makes this example different from others, for the novelty filter. Unset: the last assistant message."""


class PreferSpec(Spec):
    """How a `custom` ensemble with `preference: true` makes responses and tells them apart."""

    responses: Whole = Field(2, ge=2, le=16)
    """How often the answer is made: from the first step after the prompt's that it is made of, with all steps after."""
    rubric: str = "helpfulness"
    """What accepted responses are judged by: a shipped rubric, or a `.yaml` file of your own."""
    judges: list[AgentRef] = []
    """Who judges; their scores' mean counts. Unset: the first model."""
    confirm: bool = True
    """Show the best and the worst side by side too, in both orders, and keep them only where both times the best
    wins."""


class CustomSpec(GeneratorSpec):
    """Your own ensemble: ordered steps of agent and prompt, then what is accepted and what goes out."""

    writers = None
    kind: Literal["custom"]
    """Your own ensemble of steps."""
    steps: list[StepSpec] = Field(min_length=1)
    """In this order; each sees what the steps before it made."""
    accept: str | None = None
    """A template; the attempt is rejected when it renders to false, 0, no, none, null or nothing."""
    output: OutputTemplate
    """What the example consists of."""
    prefer: PreferSpec = PreferSpec()
    """With `preference: true`: how many responses are made, and who says which is better."""


class PluginSpec(GeneratorSpec):
    """A generator of your own, in Python."""

    writers = None
    kind: Annotated[str, Field(pattern=CLASS_PATH)]
    """`module:Class`; the class implements `synth.generators.base.Generator`."""
    options: Json = {}
    """Given to the class."""
