"""The one tool loop: an assistant with tools and a user take turns in an environment until one of them is done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import orjson

from synth.agents.agent import Agent
from synth.agents.assistant_lines import audit_assistant, unheard_value
from synth.agents.context import UnitContext
from synth.agents.guide import Coached, Guide, Hint
from synth.agents.structured import InvalidAnswer, parse_answer
from synth.environments.arguments import is_object
from synth.environments.environment import Environment
from synth.errors import Rejected, ResponseError
from synth.messages import Json, Message, Tool, ToolCall
from synth.models.client import Request

MOST_CALLS_A_TURN = 16
MOST_EQUAL_CALLS = 3
"""An agent that makes the very same call more often goes round in circles."""
MOST_ANSWERS = 3
"""Tries for one turn, where the audit finds fault with the first."""


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
    talk: Conversation,
    *,
    system: str,
    max_turns: int,
    sample: int = 0,
    guided: tuple[Guide, Coached] | None = None,
) -> None:
    """Let them go on with ``talk``, which holds the user's first line. ``max_turns`` counts the assistant's answers.

    Raises ``Rejected`` when the turns run out, the assistant goes round in circles or gives no usable answer, and
    ``EnvironmentFault`` when the environment fails.
    """
    tools = environment.tools()
    made: Counter[tuple[str, str]] = Counter()
    for turn in range(max_turns):
        if guided is not None:
            guide, coached = guided
            hint = guide.next(talk.messages)
            answer = await _coached(context, coached, hint, system, talk, tools, sample * 1000 + turn)
        else:
            key = f"{assistant.role}.{sample}.{turn:03d}"
            answer = await _Answering(context, assistant, system, talk, tools, key).answer()
        answer = _numbered(answer, made.total())
        talk.messages.append(answer)
        if len(answer.tool_calls) > MOST_CALLS_A_TURN:
            raise Rejected("tool_calls", f"{len(answer.tool_calls)} calls in one turn", text=shown(talk.messages))
        for call in answer.tool_calls:
            made[call.name, call.arguments] += 1
            if made[call.name, call.arguments] > MOST_EQUAL_CALLS:
                raise Rejected("loop", f"the same call to {call.name} again and again", text=shown(talk.messages))
            result = await environment.call(call.name, call.arguments)
            if result.fault is not None:
                talk.faults.append(result.fault)
            talk.messages.append(Message("tool", result.content, tool_call_id=call.id))
        if not answer.tool_calls:
            line = await user.reply(talk.messages)
            if line is None:
                return
            talk.messages.append(Message("user", line))
    raise Rejected("max_turns", f"not done after {max_turns} turns of the assistant", text=shown(talk.messages))


def _numbered(answer: Message, first: int) -> Message:
    """The answer with ids for its calls that no other call of the conversation has; of nine letters and digits, for
    Mistral's servers take no others."""
    calls = enumerate(answer.tool_calls, first)
    return replace(answer, tool_calls=tuple(replace(call, id=f"call{number:05d}") for number, call in calls))


async def _coached(
    context: UnitContext,
    coached: Coached,
    hint: Hint,
    system: str,
    talk: Conversation,
    tools: tuple[Tool, ...],
    number: int,
) -> Message:
    """One turn of an assistant that is told what to do. Raises ``Rejected`` where no try is any good."""
    if hint.tool is not None:
        due = next(tool for tool in tools if tool.name == hint.tool)
        made = {call.arguments for message in talk.messages for call in message.tool_calls if call.name == due.name}
        last = talk.messages[-1]
        complaint = last.content or "" if last.role == "tool" and '"error"' in (last.content or "") else ""
        if complaint:
            made.clear()  # what failed may be tried again
        for attempt in range(MOST_ANSWERS):
            number_of_try = number * 10 + attempt
            arguments = await coached.call(context, talk.messages, hint, due, complaint, number_of_try)
            complaint = unheard_value(arguments, due, talk.messages)
            if not complaint and arguments in made:
                complaint = f"this very call was made before, and it was not the right one: {arguments}"
            if not complaint:
                break
        return Message("assistant", None, (ToolCall(f"call_{number}", due.name, arguments),))
    complaint = ""
    for attempt in range(MOST_ANSWERS):
        line = await coached.say(context, talk.messages, hint, complaint, number * 10 + attempt)
        complaint = audit_assistant(line, f"{system}\n{hint.text}", talk.messages, tools)
        if not complaint and ("\n" in line or not re.search(hint.expects, line, re.IGNORECASE)):
            complaint = "did not do what was asked for"
        if not complaint:
            return Message("assistant", line)
    raise Rejected("assistant", f"the assistant {complaint}: {line}", text=shown(talk.messages))


@dataclass(frozen=True, slots=True)
class _Answering:
    """One turn of the assistant: an answer, or the second one where the first cannot stand."""

    context: UnitContext
    assistant: Agent
    system: str
    talk: Conversation
    tools: tuple[Tool, ...]
    key: str

    async def answer(self) -> Message:
        """What the assistant says, audited. Raises ``Rejected`` where no try is any good."""
        for attempt in range(MOST_ANSWERS):
            key = self.key if not attempt else f"{self.key}.again{attempt}"
            request = Request(
                (Message("system", self.system), *self.talk.messages), self.assistant.sampling, self.tools
            )
            answer = await _ask(self.context, self.assistant, request, key)
            if not answer.tool_calls and _means_a_call(answer.content or "", self.tools):
                answer = await self._forced(request, f"{key}.forced") or answer
            if answer.tool_calls:
                junk = next((call for call in answer.tool_calls if not is_object(call.arguments)), None)
                if junk is None:
                    return replace(answer, content=self._said_beside(answer))
                # No format takes such a row, so it is no error for the assistant to learn from.
                complaint = f"called {junk.name} with what is no JSON object: {junk.arguments[:200]}"
                answer = replace(answer, tool_calls=())
                continue
            complaint = audit_assistant(answer.content or "", self.system, self.talk.messages, self.tools)
            if not complaint:
                return answer
        raise Rejected("assistant", f"the assistant {complaint}", text=shown([*self.talk.messages, answer]))

    def _said_beside(self, answer: Message) -> str | None:
        """Words beside a call; small models fill them with what the call is yet to bring about."""
        text = answer.content or ""
        return None if audit_assistant(text, self.system, self.talk.messages, self.tools) else text

    async def _forced(self, request: Request, key: str) -> Message | None:
        """A small model often describes its call instead of making it: ask once more, with room for nothing else."""
        schema = _call_schema(self.tools)
        again = await _ask(self.context, self.assistant, replace(request, tools=(), schema=schema), key)
        try:
            wanted = parse_answer(again.content or "", schema)
        except InvalidAnswer:
            return None
        arguments = orjson.dumps(wanted["arguments"]).decode()
        return Message("assistant", None, (ToolCall(f"call_{key.replace('.', '_')}", wanted["name"], arguments),))


async def _ask(context: UnitContext, assistant: Agent, request: Request, key: str) -> Message:
    numbered = Request(
        messages=request.messages,
        sampling=request.sampling,
        tools=request.tools,
        schema=request.schema,
        tool_choice=request.tool_choice,
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


def shown(messages: Sequence[Message]) -> str:
    """A conversation as text, one message a line."""
    return "\n".join(
        f"{message.role}: {message.content or ''}{''.join(f' {c.name}({c.arguments})' for c in message.tool_calls)}"
        for message in messages
    )
