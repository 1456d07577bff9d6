"""The simulated user of SYNTHAGENT (arXiv 2601.22511): knows the facts, says one sentence, reveals them when asked.

What a prompt asks for, a program checks: a line that is more than a sentence, names a tool, or states a number that the
user cannot know is caught, asked again, and ends the attempt when it does not get better.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.messages import Json, Message

MOST_TRIES = 3
_SENTENCE_END = re.compile(r"[.!?](?=\s+[A-Z\"'])")
_DIGITS = re.compile(r"\d[\d.,:-]*\d|\d")

USER_SCHEMA: Json = {
    "type": "object",
    "properties": {"say": {"type": "string", "minLength": 1}, "done": {"type": "boolean"}},
    "required": ["say", "done"],
    "additionalProperties": False,
}


@dataclass(slots=True)
class SimulatedUser:
    """``facts`` are what the user knows, by name; ``goal`` is what they want, in everyday words.

    ``satisfied`` tells from the environment that the goal is reached: the user then has nothing more to say.
    """

    agent: Agent
    context: UnitContext
    goal: str
    facts: Mapping[str, str]
    tool_names: Sequence[str]
    satisfied: Callable[[], Awaitable[bool]]
    sample: int = 0
    caught: int = 0

    async def reply(self, conversation: Sequence[Message]) -> str | None:
        """The next line, audited; None when the goal is reached or the user gives up."""
        if await self.satisfied():
            return None
        turn = sum(message.role == "user" for message in conversation)
        complaint = ""
        for attempt in range(MOST_TRIES):
            variables = {
                "goal": self.goal,
                "facts": self.facts,
                "conversation": [m for m in conversation if m.role in ("user", "assistant") and m.content],
                "complaint": complaint,
            }
            number = (self.sample * 1000 + turn) * 10 + attempt
            answer = await self.agent.ask(self.context, variables, sample=number)
            if answer.value["done"]:
                return None
            line = str(answer.value["say"]).strip()
            complaint = audit_line(line, self.facts, conversation, self.tool_names)
            if not complaint:
                return line
            self.caught += 1
        raise Rejected("user", f"the simulated user {complaint}", text=line)


def audit_line(line: str, facts: Mapping[str, str], conversation: Sequence[Message], tool_names: Sequence[str]) -> str:
    """What is wrong with a user's line, in words, or nothing."""
    if len(_SENTENCE_END.findall(line)) > 1:
        return "said more than a sentence or two"
    lowered = line.lower()
    named = next((name for name in tool_names if name.lower() in lowered or name.replace("_", " ") in lowered), None)
    if named is not None and "_" in named:
        return f"named the tool {named}"
    if "{" in line or "}" in line:
        return "wrote code instead of a sentence"
    known = " ".join([*facts.values(), *(message.content or "" for message in conversation)])
    invented = next((number for number in _DIGITS.findall(line) if number not in known), None)
    return f"invented {invented}" if invented is not None else ""
