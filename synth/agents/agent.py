"""One agent: a model in a role, with a prompt, sampling parameters and, where it returns fields, a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from synth.agents.context import UnitContext
from synth.agents.structured import InvalidAnswer, parse_answer
from synth.errors import Rejected, ResponseError
from synth.messages import Json, Message
from synth.models.caller import CallRecord
from synth.models.client import Request, Sampling
from synth.models.corrsynth.member import XARGS, Member
from synth.prompts import PromptError, Template
from synth.recipe.decode import DecodeSpec
from synth.recipe.models import SamplingSpec

DEFAULT_MAX_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent said: its text, and the value that satisfies its schema (the text itself without one)."""

    text: str
    value: Any
    reasoning: str | None
    call: str


@dataclass(frozen=True, slots=True)
class Agent:
    """``repairs`` is how often an answer that does not satisfy the schema is sent back with what is wrong."""

    role: str
    model: str
    prompt: Template
    sampling: Sampling
    schema: Json | None = None
    system: Template | None = None
    repairs: int = 2
    decode: DecodeSpec | None = None

    async def ask(self, context: UnitContext, variables: Mapping[str, Any], *, sample: int = 0) -> Answer:
        """Render the prompt, ask, check. ``sample`` numbers independent answers to the same question.

        Raises ``Rejected`` (gate ``template``, ``empty``, ``length``, ``content_filter`` or ``schema``) when no usable
        answer comes.
        """
        messages = self._render(context, variables)
        for repair in range(self.repairs + 1):
            suffix = f".r{repair}" if repair else ""
            record = await self._call(context, messages, f"{self.role}.{sample}{suffix}")
            text = (record.response.message.content or "").strip()
            if self.schema is None:
                return Answer(text, text, record.response.message.reasoning, record.id)
            try:
                value = parse_answer(text, self.schema)
            except InvalidAnswer as error:
                problem = str(error)
                messages = (*messages, Message("assistant", text), _repair_message(problem))
                continue
            return Answer(text, value, record.response.message.reasoning, record.id)
        raise Rejected("schema", f"{self.role}: {problem}", text=text)

    def shown_answers(self, context: UnitContext, variables: Mapping[str, Any]) -> list[str]:
        """The answers that the prompt shows as turns of an example. Raises as :meth:`ask` does."""
        return [message.content or "" for message in self._render(context, variables) if message.role == "assistant"]

    def _render(self, context: UnitContext, variables: Mapping[str, Any]) -> tuple[Message, ...]:
        visible = {**context.variables, **variables}
        try:
            messages = self.prompt.messages(visible)
            if self.system is not None:
                messages = (Message("system", self.system.render(visible)), *messages)
        except PromptError as error:
            raise Rejected("template", error.message) from error
        context.used(self.prompt)
        if self.system is not None:
            context.used(self.system)
        return messages

    async def _call(self, context: UnitContext, messages: tuple[Message, ...], key: str) -> CallRecord:
        request = Request(
            messages=messages,
            sampling=self.sampling if self.decode is None else _grouped(self.sampling, self.decode, context, key),
            schema=self.schema,
            sample=f"{context.unit.cycle}.{key}",
            seed=context.sample_seed(key),
        )
        try:
            return await context.call(self.model, request, key)
        except ResponseError as error:
            raise Rejected(error.kind, f"{self.role}: {error.message}", text=error.text) from error


def _grouped(sampling: Sampling, decode: DecodeSpec, context: UnitContext, key: str) -> Sampling:
    """``sampling`` in a CorrSynth group: the same call of so many neighbours in the plan."""
    unit = context.unit
    name = decode.label or "label"
    fields = unit.seed.fields if unit.seed is not None else {}
    member = Member(
        group=f"{unit.generator}/{unit.index // decode.group}/{key}",
        size=decode.group,
        label=str(unit.attributes.get(name, fields.get(name, ""))),
        contrast=decode.contrast,
        gamma=decode.gamma,
        delta=decode.delta,
        alpha=decode.alpha,
    )
    return replace(sampling, extra={**sampling.extra, XARGS: {**sampling.extra.get(XARGS, {}), **member.to_xargs()}})


def resolve_sampling(*layers: SamplingSpec) -> Sampling:
    """One set of sampling parameters; later layers win where they say something."""
    said: dict[str, Any] = {}
    for layer in layers:
        said |= layer.model_dump(include=layer.model_fields_set, exclude={"extra_body"}, exclude_none=True)
    extra = {key: value for layer in layers for key, value in layer.extra_body.items()}
    return Sampling(
        temperature=said.get("temperature"),
        top_p=said.get("top_p"),
        max_tokens=said.get("max_tokens", DEFAULT_MAX_TOKENS),
        stop=tuple(said.get("stop", ())),
        extra=extra,
    )


def _repair_message(problem: str) -> Message:
    return Message("user", f"That answer cannot be used: {problem}\nAnswer again, with valid JSON only.")
