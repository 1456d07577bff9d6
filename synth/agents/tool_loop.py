"""The one tool loop: an assistant with tools and a user take turns in an environment until one of them is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.structured import InvalidAnswer, parse_answer
from synth.environments.environment import Environment
from synth.errors import Rejected, ResponseError
from synth.messages import Json, Message, Tool, ToolCall
from synth.models.client import Request

MOST_CALLS_A_TURN = 16
MOST_EQUAL_CALLS = 3
"""An agent that makes the very same call more often goes round in circles."""


class User(Protocol):
    """Whoever the assistant talks to."""

    async def reply(self, conversation: Sequence[Message]) -> str | None:
        """What the user says next, or None when there is nothing more to say."""
        ...


@dataclass(slots=True)
class Conversation:
    """A conversation so far: its messages without the system message, and the faults that its calls met."""

    messages: list[Message] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def said_by_user(self) -> list[str]:
        return [message.content or "" for message in self.messages if message.role == "user"]


async def converse(
    context: UnitContext,
    assistant: Agent,
    user: User,
    environment: Environment,
    *,
    system: str,
    opening: str,
    max_turns: int,
    sample: int = 0,
) -> Conversation:
    """Let them talk, from the user's ``opening`` line to the end. ``max_turns`` counts the assistant's answers.

    Raises ``Rejected`` when the turns run out, the assistant goes round in circles or gives no usable answer, and
    ``EnvironmentFault`` when the environment fails.
    """
    tools = environment.tools()
    talk = Conversation([Message("user", opening)])
    made: Counter[tuple[str, str]] = Counter()
    for turn in range(max_turns):
        messages = (Message("system", system), *talk.messages)
        answer = await _answer(context, assistant, messages, tools, f"{assistant.role}.{sample}.{turn:03d}")
        talk.messages.append(answer)
        if len(answer.tool_calls) > MOST_CALLS_A_TURN:
            raise Rejected("tool_calls", f"{len(answer.tool_calls)} calls in one turn", text=_shown(talk))
        for call in answer.tool_calls:
            made[call.name, call.arguments] += 1
            if made[call.name, call.arguments] > MOST_EQUAL_CALLS:
                raise Rejected("loop", f"the same call to {call.name} again and again", text=_shown(talk))
            result = await environment.call(call.name, call.arguments)
            if result.fault is not None:
                talk.faults.append(result.fault)
            talk.messages.append(Message("tool", result.content, tool_call_id=call.id))
        if not answer.tool_calls:
            line = await user.reply(talk.messages)
            if line is None:
                return talk
            talk.messages.append(Message("user", line))
    raise Rejected("max_turns", f"not done after {max_turns} turns of the assistant", text=_shown(talk))


async def _answer(
    context: UnitContext, assistant: Agent, messages: tuple[Message, ...], tools: tuple[Tool, ...], key: str
) -> Message:
    answer = await _ask(context, assistant, Request(messages, assistant.sampling, tools), key)
    if answer.tool_calls or not _means_a_call(answer.content or "", tools):
        return answer
    # A small model often describes its call instead of making it: ask once more, with room for nothing else.
    forced = Request(messages, assistant.sampling, schema=_call_schema(tools))
    again = await _ask(context, assistant, forced, f"{key}.forced")
    try:
        wanted = parse_answer(again.content or "", _call_schema(tools))
    except InvalidAnswer:
        return answer
    call = ToolCall(f"call_{key.replace('.', '_')}", wanted["name"], orjson.dumps(wanted["arguments"]).decode())
    return Message("assistant", None, (call,))


async def _ask(context: UnitContext, assistant: Agent, request: Request, key: str) -> Message:
    numbered = Request(
        messages=request.messages,
        sampling=request.sampling,
        tools=request.tools,
        schema=request.schema,
        sample=f"{context.unit.cycle}.{key}",
        seed=context.sample_seed(key),
    )
    try:
        record = await context.call(assistant.model, numbered, key)
    except ResponseError as error:
        raise Rejected(error.kind, f"{assistant.role}: {error.message}", text=error.text) from error
    return record.response.message


def _means_a_call(text: str, tools: tuple[Tool, ...]) -> bool:
    return any(tool.name in text for tool in tools)


def _call_schema(tools: tuple[Tool, ...]) -> Json:
    one_of = [
        {
            "type": "object",
            "properties": {"name": {"const": tool.name}, "arguments": tool.parameters},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    return {"anyOf": one_of}


def _shown(talk: Conversation) -> str:
    return "\n".join(
        f"{message.role}: {message.content or ''}{''.join(f' {c.name}({c.arguments})' for c in message.tool_calls)}"
        for message in talk.messages
    )
