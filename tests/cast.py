"""A planner, a simulated user and an assistant with no model behind them, for ``tool_use`` in any environment of code.

They are stateless, as models are: whatever one of them knows stands in the request. So a run that was killed goes on
with another process's cast, and the same one serves tests, benchmarks and a local HTTP server::

    prompts = write_prompts(folder)               # for the recipe's generator: templates that say who is asked for what
    Cast(reads=["get_order"]).answer(messages, tools)

The assistant asks for one fact after the other, looks ``len(reads)`` things up, and then makes the call that the user's
opening line hints at by a word for the tool's place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from synth.fingerprint import fingerprint
from synth.messages import Json, Message, StopReason, Tool, ToolCall, Usage
from synth.models.client import Request, Response

_PLANNER = """{% block system %}PLANNER{% endblock %}{% block user %}
{{ {"actions": actions | map(attribute="tool") | list} | tojson }}{% endblock %}
"""
_USER = """{% block system %}USER{% endblock %}{% block user %}
{{ {"facts": facts, "said": conversation[-1].content} | tojson }}{% endblock %}
"""
_FIRST = "Hello, I have a wish of the sort"
_UNKNOWN = "I do not know that"
_SEPARATOR = " | "


def write_prompts(folder: Path) -> dict[str, str]:
    """Templates by which the cast knows its parts; what to put under ``prompts`` of the generator."""
    (folder / "planner.md.j2").write_text(_PLANNER, encoding="utf-8")
    (folder / "user.md.j2").write_text(_USER, encoding="utf-8")
    return {"planner": "planner.md.j2", "user": "user.md.j2"}


@dataclass(frozen=True, slots=True)
class Cast:
    """``tools`` names all tools of the environment in their order; ``reads`` are calls to make before the last one:
    a tool, and by parameter the fact or the value to give."""

    tools: Sequence[str]
    reads: Sequence[tuple[str, Mapping[str, Any]]] = ()
    questions: int = 1

    async def complete(self, request: Request) -> Response:
        """As a model client."""
        message = self.answer(request.messages, request.tools)
        return Response(message, Usage(100, 20), StopReason.STOP, "cast")

    async def aclose(self) -> None:
        """Nothing is open."""

    def answer(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Message:
        if tools:
            return self._assist(messages, tools)
        told: Json = orjson.loads(messages[-1].content or "")
        if messages[0].content == "PLANNER":
            places = " and ".join(_word(self.tools.index(name)) for name in told["actions"])
            return _json({"goal": "I want what I have in mind to be done.", "opening": f"{_FIRST} {places}."})
        asked = re.findall(r"<([a-z_0-9]+)>", told["said"])
        line = _SEPARATOR.join(told["facts"].get(name, _UNKNOWN) for name in asked)
        return _json({"say": line or "That is all", "done": not asked})

    def _assist(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Message:
        opening = next(message.content or "" for message in messages if message.role == "user")
        place = next(index for index in range(len(tools)) if opening.endswith(f" {_word(index)}."))
        tool = tools[place]
        names = list(tool.parameters["properties"])
        asked = sum(message.role == "user" for message in messages) - 1
        if asked < self.questions:
            share = names[asked : asked + 1] if asked < self.questions - 1 else names[asked:]
            wanted = ", ".join(f"<{name}>" for name in share or ["nothing"])
            return Message("assistant", f"Please tell me {wanted}")
        facts = _facts(messages)
        done = sum(message.role == "tool" for message in messages)
        if done < len(self.reads):
            name, given = self.reads[done]
            return _call(name, {key: facts.get(value, value) for key, value in given.items()}, done)
        if done == len(self.reads):
            properties = tool.parameters["properties"]
            return _call(tool.name, {key: _typed(facts[key], properties[key]) for key in names if key in facts}, done)
        return Message("assistant", "It is done, all of it")


def _facts(messages: Sequence[Message]) -> dict[str, str]:
    """What the user has answered to each question."""
    found: dict[str, str] = {}
    for question, line in pairwise(messages):
        if question.role == "assistant" and line.role == "user":
            names = re.findall(r"<([a-z_0-9]+)>", question.content or "")
            found.update(zip(names, (line.content or "").split(_SEPARATOR), strict=False))
    return {name: value for name, value in found.items() if value != _UNKNOWN}


def _typed(text: str, schema: Json) -> Any:
    return text if schema.get("type") == "string" or "enum" in schema else orjson.loads(text)


def _word(number: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[number] * 3


def _call(name: str, arguments: Json, number: int) -> Message:
    text = orjson.dumps(arguments).decode()
    return Message("assistant", None, (ToolCall(f"call_{fingerprint([name, text, number])[:12]}", name, text),))


def _json(value: Json) -> Message:
    return Message("assistant", orjson.dumps(value).decode())
