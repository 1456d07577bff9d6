"""What an assistant may say to a user: words, no code, no tool's name, and no number that nobody has given it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from synth.messages import Message, Tool

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_CODE = re.compile(r"```|</?tool_call|\{\s*\"|<\|")
_ADDRESSED = re.compile(
    r"^\W*(customer|agent|service|assistant|user):|agent's next message|conversation so far|(^|\s)such as: "
    r"|\bthe (user|customer)'?s? (for|to|has|is)\b|\bcall (no|the) tool",
    re.IGNORECASE | re.MULTILINE,
)


def audit_assistant(text: str, system: str, conversation: Sequence[Message], tools: Sequence[Tool]) -> str:
    """What is wrong with a line to the user, in words that complete "the assistant …", or nothing."""
    if not text.strip():
        return "said nothing"
    if _CODE.search(text):
        return "wrote code to the user"
    named = next((tool.name for tool in tools if "_" in tool.name and tool.name in text), None)
    if named is not None:
        return f"named the tool {named} to the user"
    if found := _ADDRESSED.search(text):
        return f"spoke to itself ({found[0]!r})"
    if invented := invented_number(text, system, conversation):
        return f"stated {invented}, which nobody has told it"
    if text.strip() in {(message.content or "").strip() for message in conversation if message.role == "user"}:
        return "repeated the user's words"
    return ""


def invented_number(text: str, system: str, conversation: Sequence[Message]) -> str:
    """The first number of ``text`` that was not said before and is no sum or difference of two amounts that were."""
    said = " ".join([system, *(message.content or "" for message in conversation)])
    known: set[str] = set(_NUMBER.findall(said))
    money = {value for number in known if "." in number and (value := _value(number)) is not None}
    sums = {round(abs(a + sign * b), 2) for a in money for b in money for sign in (1, -1)}
    for number in _NUMBER.findall(text):
        value = _value(number)
        if number in known or number in said or value in sums or len(number) == 1:
            continue
        return str(number)
    return ""


def _value(number: str) -> float | None:
    try:
        return float(number.replace(",", ""))
    except ValueError:
        return None


def unheard_value(arguments: str, tool: Tool, conversation: Sequence[Message]) -> str:
    """Which argument of a call stands nowhere in the conversation, in words, or nothing; choices are free."""
    said = " ".join(message.content or "" for message in conversation).casefold()
    properties = tool.parameters.get("properties", {})
    for name, value in orjson.loads(arguments).items():
        for text in value if isinstance(value, list) else [value]:
            free = not isinstance(text, str) or "enum" in properties.get(name, {})
            if not free and text.casefold() not in said:
                return f"the {name} {text!r} stands nowhere in the conversation"
    return ""
