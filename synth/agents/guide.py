"""What an assistant may be told while a conversation is made, beside what its reader will see.

A small model that is told the next step of a workflow carries it out well, and loses its way where it has to plan. What
a guide says is never part of the conversation: it goes into one request and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import orjson

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.messages import Json, Message, Tool


@dataclass(frozen=True, slots=True)
class Hint:
    """What to do next, in words. ``tool``: the call that is due, with the names of its ``arguments``; without it, words
    to the user are."""

    text: str
    tool: str | None = None
    arguments: tuple[str, ...] = ()
    expects: str = ""
    """A regular expression that the words to the user must match."""
    told: tuple[str, ...] = ()
    """What the user has told so far, each with its name."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What an argument may be, or each of its items where it is a list: of what somebody has named."""


class Guide(Protocol):
    """Knows the way through a task."""

    def next(self, conversation: Sequence[Message]) -> Hint:
        """What the assistant should do now."""
        ...


@dataclass(frozen=True, slots=True)
class Coached:
    """An assistant that is told each step. It is asked by a short prompt of its own, which holds the conversation and
    the hint: a small model reads that in a tenth of the time, and is not lost in a policy and fifteen tools."""

    words: Agent
    calls: Agent
    place: str

    async def say(
        self, context: UnitContext, conversation: Sequence[Message], hint: Hint, complaint: str, number: int
    ) -> str:
        """A line to the user. Raises ``Rejected``."""
        variables = self._variables(conversation, hint) | {"complaint": complaint, "tool": None, "arguments": ()}
        answer = await self.words.ask(context, variables, sample=number)
        return re.sub(r"^(Agent|Customer|Service):", "", answer.text.strip()).strip().strip('"')

    async def call(
        self,
        context: UnitContext,
        conversation: Sequence[Message],
        hint: Hint,
        tool: Tool,
        complaint: str,
        number: int,
    ) -> str:
        """The arguments of the call that is due, as JSON text. Raises ``Rejected``."""
        properties = tool.parameters.get("properties", {})
        names = [name for name in properties if name in hint.arguments]
        held = {name: held_to(hint.choices.get(name, ()), properties[name]) for name in names}
        schema = tool.parameters | {"properties": held, "required": names}
        agent = replace(self.calls, schema=schema)
        variables = self._variables(conversation, hint) | {"complaint": complaint, "tool": tool, "arguments": names}
        answer = await agent.ask(context, variables, sample=number)
        return orjson.dumps(answer.value).decode()

    def _variables(self, conversation: Sequence[Message], hint: Hint) -> Json:
        return {"conversation": conversation, "hint": hint.text, "told": hint.told, "place": self.place}


def held_to(choices: Sequence[str], schema: Json) -> Json:
    """A parameter's schema that takes one of ``choices``, where there are any; a list of them, each at most once."""
    if not choices:
        return schema
    if schema.get("type") != "array":
        return schema | {"enum": [*choices]}
    return schema | {"items": {"enum": [*choices]}, "maxItems": len(choices)}  # a grammar cannot ask for unique ones
