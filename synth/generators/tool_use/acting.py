"""Tools that a model acts out: the agent behind the mock tools of one task (SYNTHAGENT, arXiv 2601.22511, stage 4).

What the task's own calls were answered when it was made stays true in every conversation about it: the same call has
that answer again, and what was looked up then is shown to the model beside what was said since.
"""

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
    """Answers the calls of one conversation; ``number`` tells the conversations of a unit apart.

    ``said`` is what was answered when the task was made.
    """

    def __init__(
        self, agent: Agent, context: UnitContext, *, place: str, number: int, said: Sequence[Remembered] = ()
    ) -> None:
        self._agent = agent
        self._context = context
        self._place = place
        self._asked = number * _MOST_ASKED
        self._answers = {one.key: one.answer for one in said}
        first_write = next((index for index, one in enumerate(said) if one.writes), len(said))
        self._known = list(said[:first_write])

    async def __call__(self, request: MockRequest) -> Any:
        """As a ``Responder``. Raises ``Rejected`` where the agent gives no usable answer."""
        key = call_key(request.tool, request.arguments)
        if key in self._answers and not request.problem:
            return self._answers[key]
        shown = {said.key: said for said in [*self._known, *request.memory]}
        output = request.tool.output
        schema: Json = {"anyOf": [output, _ERROR]} if output is not None else {"type": "object"}
        variables = {
            "place": self._place,
            "tool": request.tool.tool,
            "output": list(output.get("properties", ())) if output is not None else [],
            "arguments": _json(request.arguments),
            "memory": [
                {"tool": said.tool, "arguments": _json(said.arguments), "answer": _json(said.answer)}
                for said in shown.values()
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
