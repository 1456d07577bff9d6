"""Mode ``mock``: tools that exist as schemas only, acted out by a model (SYNTHAGENT, arXiv 2601.22511, stage 4).

The model is behind a ``Responder``, which the caller gives for each conversation. What it says is held to the tool's
output schema and to what was said before; an answer that does not hold is asked for once more, with what is wrong,
and then the agent is told that the tool failed.

Reading the memory, asking and remembering are one critical section, and per conversation rather than per call: what a
model is asked depends on the memory, so only a fixed order gives the same requests, and the same answers, again.
A deviation from the paper: a read is asked anew after a write that touched what it was about; otherwise an order would
stay "pending" after it was cancelled.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from synth.environments.arguments import ArgumentSchema
from synth.environments.memory import Memory, Remembered, call_key
from synth.environments.vocabulary import Outcome, ToolSpec, call_again
from synth.fingerprint import fingerprint
from synth.messages import Json

SHOWN = 100
"""How many earlier calls a responder is shown, the latest ones."""


@dataclass(frozen=True, slots=True)
class MockRequest:
    """A call that needs an answer. ``refused`` is an earlier answer to it that cannot be used, and ``problem`` why.

    ``memory`` is oldest first. The answer is any JSON value; an object with the only key ``error`` is a tool error.
    """

    tool: ToolSpec
    arguments: Json
    memory: tuple[Remembered, ...]
    refused: Any = None
    problem: str = ""


Responder = Callable[[MockRequest], Awaitable[Any]]


class MockSession:
    """One conversation. ``script`` holds answers to give before the responder is asked, by call; ``known`` are reads
    that were answered before the conversation began, and are true in it."""

    def __init__(
        self,
        tools: Sequence[ToolSpec],
        responder: Responder,
        script: Sequence[Remembered] = (),
        known: Sequence[Remembered] = (),
    ) -> None:
        self._tools = tools
        self._responder = responder
        self._memory = Memory()
        self._known = tuple(known)
        self._outputs = {tool.name: ArgumentSchema(tool.output) for tool in tools if tool.output is not None}
        self._script: defaultdict[bytes, deque[Any]] = defaultdict(deque)
        for said in known:
            self._memory.remember(said)
        for said in script:
            self._script[said.key].append(said.answer)

    async def call(self, tool: ToolSpec, arguments: Json) -> Outcome:
        key = call_key(tool, arguments)
        said = self._memory.recall(key)
        wrote = False
        if said is None:
            answer = await self._ask(tool, arguments, key)
            wrote = tool.writes and not _is_error(answer)
            said = Remembered(key, tool.name, arguments, answer, wrote)
            self._memory.remember(said)
        return Outcome(orjson.dumps(said.answer).decode(), error=_is_error(said.answer), wrote=wrote)

    async def state(self) -> Json:
        writes = [
            {"tool": said.tool, "arguments": said.arguments, "answer": said.answer}
            for said in self._memory.calls
            if said.writes
        ]
        return {"writes": writes}

    async def state_hash(self) -> str:
        return fingerprint(await self.state())

    async def violations(self) -> list[str]:
        return []

    async def rerun(self, calls: Sequence[tuple[ToolSpec, Json]]) -> tuple[list[Outcome], str]:
        return await call_again(self, calls)

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[MockSession]:
        yield MockSession(self._tools, self._responder, self._memory.calls[len(self._known) :], self._known)

    async def _ask(self, tool: ToolSpec, arguments: Json, key: bytes) -> Any:
        if self._script[key]:
            return self._script[key].popleft()
        memory = tuple(self._memory.calls[-SHOWN:])
        request = MockRequest(tool, arguments, memory)
        for _ in range(2):
            answer = await self._responder(request)
            problem = self._problem(tool, arguments, answer)
            if not problem:
                return answer
            request = MockRequest(tool, arguments, memory, answer, problem)
        return {"error": f"{tool.name} failed: the service gave no usable answer"}

    def _problem(self, tool: ToolSpec, arguments: Json, answer: Any) -> str:
        if _is_error(answer):
            return ""
        if tool.name in self._outputs and (found := self._outputs[tool.name].explain(answer)):
            return "; ".join(found[:5])
        return self._memory.contradiction(tool, arguments, answer)


def _is_error(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.keys() == {"error"} and isinstance(answer["error"], str)
