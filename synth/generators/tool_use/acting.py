"""The agent behind mock tools (SYNTHAGENT, arXiv 2601.22511, stage 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.environments.memory import Remembered, call_key
from synth.environments.mock import MockRequest
from synth.environments.vocabulary import RecordedCall, ToolSpec
from synth.environments.world import World
from synth.messages import Json

_ERROR: Json = {
    "type": "object",
    "properties": {"error": {"type": "string", "minLength": 5}},
    "required": ["error"],
    "additionalProperties": False,
}
_MOST_ASKED = 10_000


class Actor:
    """Answers the calls of one conversation; ``number`` tells the conversations of a unit apart."""

    def __init__(self, agent: Agent, context: UnitContext, *, place: str, number: int) -> None:
        self._agent = agent
        self._context = context
        self._place = place
        self._asked = number * _MOST_ASKED

    async def __call__(self, request: MockRequest) -> Any:
        """As a ``Responder``. Raises ``Rejected`` where the agent gives no usable answer."""
        output = request.tool.output
        schema: Json = {"anyOf": [output, _ERROR]} if output is not None else {"type": "object"}
        variables = {
            "place": self._place,
            "tool": request.tool.tool,
            "output": list(output.get("properties", ())) if output is not None else [],
            "arguments": _json(request.arguments),
            "memory": [
                {"tool": said.tool, "arguments": _json(said.arguments), "answer": _json(said.answer)}
                for said in request.memory
            ],
            "refused": _json(request.refused),
            "problem": request.problem,
        }
        self._asked += 1
        answer = await replace(self._agent, schema=schema).ask(self._context, variables, sample=self._asked)
        return answer.value


def _json(value: Any) -> str:
    """As models write it: Jinja's own filter escapes what is special in HTML."""
    return orjson.dumps(value).decode()


def remembered(world: World, calls: Sequence[RecordedCall]) -> list[Remembered]:
    """Recorded calls that went through, as a mock tool's memory has them."""
    tools: dict[str, ToolSpec] = {tool.name: tool for tool in world.tools}
    made = []
    for call in calls:
        if call.name in tools and not call.result.error:
            arguments = orjson.loads(call.arguments)
            key = call_key(tools[call.name], arguments)
            made.append(Remembered(key, call.name, arguments, orjson.loads(call.result.content), call.result.wrote))
    return made
