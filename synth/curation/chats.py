"""One structure: chats as OpenAI, ShareGPT, Alpaca, Hermes or raw logs have them become messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from synth.curation.roles import LOG_LINE, ROLES
from synth.errors import SynthError
from synth.messages import Json, Message, Tool, ToolCall

_FENCE = re.compile(r"```[^\n`]*\n.*?^[ \t]*```[ \t]*$", re.S | re.M)
"""Code in a message: what stands in it begins no other one."""
_CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.S)
_RESPONSE = re.compile(r"<tool_response>\s*(.*?)\s*</tool_response>", re.S)
_TOOLS = re.compile(r"<tools>\n(.*?)\n</tools>", re.S)


class NotAChat(SynthError):
    """A row that holds no chat that could be understood; the message says why."""


_TURNS = ("messages", "conversations", "conversation", "dialog", "dialogue", "turns", "chosen", "data")
_PAIRS = (
    ("instruction", "output"),
    ("instruction", "response"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("input", "output"),
)
_SPEAKS = ("role", "from", "speaker", "author")
_MORE = ("input", "context")
"""What an instruction is about, where it is a column of its own (Alpaca, Dolly)."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat, and the columns of the row that it was read from: the others say something else."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    columns: frozenset[str]


def to_chat(row: Json) -> Chat:
    """The chat of a row, in whichever of the formats it is. Raises ``NotAChat``.

    Known: a list of turns (OpenAI, ShareGPT, Hermes; also of texts in turns, and as a JSON text, as CSV has it),
    ``instruction``/``input``/``output`` (Alpaca) and other pairs of question and answer, ``prompt`` and ``chosen`` of
    a preference, ``prompt`` and ``completion`` as lists (TRL), and ``text`` or a column of turns as a log of
    ``role: text``. A text in ``system`` comes first, where the chat has no other system message.
    """
    try:
        messages, tools, columns = _read(row)
        if not messages:
            raise NotAChat("a chat without messages")
        system, first = row.get("system") or "", messages[0]
        if isinstance(system, str) and (not system or first.role != "system" or first.content == system):
            columns.add("system")
            if system and first.role != "system":
                messages = [Message("system", system), *messages]
        if all(message.role == "system" for message in messages):
            raise NotAChat("a chat of which only the system message is left")
        return Chat(tuple(messages), tools or _declared(row.get("tools")), frozenset(columns | {"tools"}))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotAChat(f"a message lacks what it needs: {error}") from error


def _read(row: Json) -> tuple[list[Message], tuple[Tool, ...], set[str]]:
    """The messages, the tools that are declared in them, and the columns that they are in."""
    for name in _TURNS:
        turns = row.get(name)
        if name == "chosen" and (preferred := _answered(row, "chosen")):
            return *_turns(preferred), {"prompt", "chosen"}
        if isinstance(turns, str) and turns.lstrip().startswith("["):
            turns = _json(turns)
        if isinstance(turns, list):
            return *_turns(turns), {name}
        if isinstance(turns, str) and turns.strip():
            return _log(turns), (), {name}
    if isinstance(row.get("completion"), list) and (turns := _answered(row, "completion")):
        return *_turns(turns), {"prompt", "completion"}
    for asked, answered in _PAIRS:
        if isinstance(row.get(asked), str) and row.get(answered) is not None:
            return _pair(row, asked, answered)
    if isinstance(text := row.get("text"), str):
        return _log(text), (), {"text"}
    raise NotAChat(f"no chat in the columns {', '.join(map(str, row)) or 'of an empty row'}")


def _answered(row: Json, column: str) -> list[Any]:
    """The turns of a prompt and of the answer in ``column``; none where that has the prompt in itself."""
    prompt, answer = _side(row.get("prompt"), "user"), _side(row.get(column), "assistant")
    answers = prompt and answer and isinstance(answer[0], dict) and _role(answer[0]) in {"assistant", "function_call"}
    return [*prompt, *answer] if answers else []


def _side(value: Any, role: str) -> list[Any]:
    """Turns as a list, as its JSON text, as a log, or as one text, which ``role`` says."""
    if not isinstance(value, str):
        return value if isinstance(value, list) else []
    if value.lstrip().startswith("[{"):
        with suppress(NotAChat, AttributeError):
            turns: list[Any] = _json(value)
            if _role(turns[0]):
                return turns
    with suppress(NotAChat):
        return [message.to_dict() for message in _log(value) if message.content]
    return [{"role": role, "content": value}] if value.strip() else []


def _turns(turns: list[Any]) -> tuple[list[Message], tuple[Tool, ...]]:
    messages: list[Message] = []
    tools: tuple[Tool, ...] = ()
    open_calls: list[str] = []
    if turns and all(isinstance(turn, str) for turn in turns):
        return [Message("assistant" if place % 2 else "user", turn) for place, turn in enumerate(turns)], ()
    for turn in turns:
        role = _role(turn)
        if role is None:
            raise NotAChat(f"a role that is not known: {_first(turn, *_SPEAKS)!r}")
        text = _text(_first(turn, "content", "value", "text", "message"))
        if role == "system" and (found := _TOOLS.search(text)):
            tools = _declared([_json(line) for line in found[1].splitlines() if line.strip()])
            text = text[found.end() :].strip()
            if not text:
                continue
        if role == "tool":
            made = list(_results(text, turn.get("tool_call_id"), open_calls))
            open_calls = open_calls[len(made) :]
            messages += made
            continue
        calls = tuple(_calls(role, turn, text, len(messages)))
        if role == "function_call":
            role, text = "assistant", ""
        elif role == "assistant":
            text = _CALL.sub("", text).rstrip("\n") if calls else text
        open_calls += [call.id for call in calls]
        reasoning = turn.get("reasoning_content")
        content = text if text or not calls else None
        messages.append(Message(role, content, calls, reasoning=reasoning))  # type: ignore[arg-type]
    return messages, tools


def _calls(role: str, turn: Json, text: str, place: int) -> Iterator[ToolCall]:
    if given := turn.get("tool_calls"):
        yield from (ToolCall.from_dict(call) for call in given)
        return
    made: list[Any] = []
    if role == "function_call":
        value = _json(text)
        made = value if isinstance(value, list) else [value]
    elif role == "assistant":
        made = [_json(found) for found in _CALL.findall(text)]
    for number, call in enumerate(made):
        arguments = call["arguments"]
        written = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
        yield ToolCall(f"call_{place}_{number}", call["name"], written)


def _results(text: str, call_id: str | None, open_calls: list[str]) -> Iterator[Message]:
    results = _RESPONSE.findall(text) or [text]
    if len(open_calls) > 1 and len(results) == 1 and call_id is None:
        many = _json(text)
        results = [_text(one) for one in many] if isinstance(many, list) else results
    for number, result in enumerate(results):
        known = open_calls[number] if number < len(open_calls) else None
        if call_id is None and known is None:
            raise NotAChat("a tool's result that nothing called for")
        yield Message("tool", result, tool_call_id=call_id or known)


def _pair(row: Json, asked: str, answered: str) -> tuple[list[Message], tuple[Tool, ...], set[str]]:
    columns, more = {asked, answered, "history"}, ""
    for name in _MORE:
        if name != asked and not more:
            columns.add(name)
            more = _text(row.get(name) or "")
    messages: list[Message] = []
    for before, after in row.get("history") or []:
        messages += [Message("user", _text(before)), Message("assistant", _text(after))]
    question = "\n\n".join(part for part in (_text(row[asked]), more) if part)
    messages += [Message("user", question), Message("assistant", _text(row[answered]))]
    return messages, (), columns


def _log(text: str) -> list[Message]:
    fences = [fence.span() for fence in _FENCE.finditer(text)]
    starts = [m for m in LOG_LINE.finditer(text) if not any(begin < m.start() < end for begin, end in fences)]
    if not starts or text[: starts[0].start()].strip():
        raise NotAChat("a text that does not begin with 'role:'")
    messages = []
    for start, end in zip(starts, [*(m.start() for m in starts[1:]), len(text)], strict=True):
        role = ROLES[start[1].lower()]
        if role == "tool":
            raise NotAChat("a log with a tool's result, but not what called for it")
        messages.append(Message(role, text[start.end() : end].strip()))  # type: ignore[arg-type]
    return messages


def _role(turn: Json) -> str | None:
    return ROLES.get(str(_first(turn, *_SPEAKS)).lower())


def _first(turn: Json, *names: str) -> Any:
    """The first of these columns that is filled; Parquet has every column in every row."""
    return next((turn[name] for name in names if turn.get(name) is not None), None)


def _declared(tools: Any) -> tuple[Tool, ...]:
    if isinstance(tools, str):
        tools = _json(tools) if tools.strip() else []
    functions = [tool.get("function") or tool for tool in tools or []]
    return tuple(Tool(f["name"], f.get("description") or "", f.get("parameters") or {}) for f in functions)


def _text(value: Any) -> str:
    """Text as it is; OpenAI's list of text parts as one."""
    if isinstance(value, list):
        if any(part.get("type") != "text" for part in value):
            raise NotAChat("a message with images or other parts that are no text")
        return "".join(part["text"] for part in value)
    if value is None or isinstance(value, str):
        return value or ""
    raise NotAChat(f"a message whose text is {type(value).__name__}")


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotAChat(f"a tool call or result that is no JSON: {error.msg}") from error
