"""The simulated user of SYNTHAGENT (arXiv 2601.22511): knows the facts, says one sentence, reveals them when asked.

What a prompt asks for, a program checks: a line that is more than a sentence, names a tool, speaks for the service,
keeps back what was asked for or states a number that the user cannot know is caught, asked again, and ends the attempt
when it does not get better. A user whose words tell the agent what to do next makes any agent look good (τ²-bench).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.messages import Json, Message

MOST_TRIES = 4
_MOST_VOLUNTEERED = 2
_TELLING = 4
"""Characters of a fact that does not stand in a line by chance."""
_SENTENCE_END = re.compile(r"[.!?](?=\s+[A-Z\"'])")
_DIGITS = re.compile(r"\d[\d.,:-]*\d|\d")
_SPEAKS_FOR_THE_SERVICE = re.compile(
    "|".join(
        [
            r"how (can|may) i (help|assist)",
            r"(can|could|would|will) you (please )?(provide|tell me|give me|share|confirm) (me )?(your|the)",
            r"please (provide|share|give me|tell me|confirm) (me )?(your|the)",
            r"let me (check|look|know (if|what) you)|^i'm sorry,? but|i can(no|')t (assist|help)|\bthe customer\b",
            r"\b(i|we)('ll| will| have|'ve)( now| just)? (process|cancel|updat|chang(?!\w* my)|look|check|refund)",
            r"\bi can help|(glad|happy) to (help|assist)|anything else i can",
            r"your (\w+ )?(order|request|address|refund|item|account|email)s? (has|have|is|was|will) be(en|ing)?",
            r"thank you for (contacting|reaching|providing)|what is your",
            r"^your (\w+ ){1,3}(is|are)\b",
        ]
    ),
    re.IGNORECASE,
)
_PROPOSES = re.compile(
    r"\b(is|was) (that|this|it) (right|correct|ok(ay)?|what you want)|\b(shall|should|may|can) i (go ahead|proceed|do)",
    re.IGNORECASE,
)
"""A question that a yes answers."""
_GENERIC = {"number", "id", "new", "of", "the", "and", "a", "name"}

USER_SCHEMA: Json = {
    "type": "object",
    "properties": {"say": {"type": "string", "minLength": 1, "maxLength": 400}, "done": {"type": "boolean"}},
    "required": ["say", "done"],
    "additionalProperties": False,
}


@dataclass(slots=True)
class SimulatedUser:
    """``facts`` are what the user knows, by name; ``goal`` is what they want, in everyday words.

    ``satisfied`` tells from the environment that the conversation has reached its end: the user then has nothing more
    to say. At their line number ``gives_up_at`` they take everything back, and have nothing to say after it.
    """

    agent: Agent
    context: UnitContext
    goal: str
    facts: Mapping[str, str]
    tool_names: Sequence[str]
    satisfied: Callable[[Sequence[Message]], Awaitable[bool]]
    gives_up_at: int | None = None
    caught: int = 0
    gave_up: bool = False

    async def reply(self, conversation: Sequence[Message]) -> str | None:
        """The next line, audited; None when the goal is reached or the user has given up."""
        if self.gave_up or await self.satisfied(conversation):
            return None
        turn = sum(message.role == "user" for message in conversation)
        self.gave_up = turn == self.gives_up_at
        question = conversation[-1].content or ""
        asked = [] if self.gave_up else asked_for(question, self.facts)
        complaint = ""
        for attempt in range(MOST_TRIES):
            variables = self.variables(conversation, asked, complaint)
            # Not numbered by the solution: to the same words the user answers in the same way.
            answer = await self.agent.ask(self.context, variables, sample=turn * 10 + attempt)
            line = str(answer.value["say"]).strip()
            if answer.value["done"] and "?" not in question and self.gives_up_at is None:
                return None
            complaint = audit_line(line, self.facts, conversation, self.tool_names)
            complaint = complaint or _kept_back(line, asked, self.facts)
            complaint = complaint or _volunteered(line, asked, self.facts, conversation)
            if not complaint:
                return line
            self.caught += 1
        raise Rejected("user", f"the simulated user {complaint}", text=line)

    def variables(self, conversation: Sequence[Message], asked: Sequence[str], complaint: str = "") -> Json:
        """What the prompt is rendered with; ``asked`` are the names of the facts that the service asks for."""
        return {
            "goal": self.goal,
            "facts": self.facts,
            "asked": asked,
            "gives_up": self.gave_up,
            "conversation": [m for m in conversation if m.role in ("user", "assistant") and m.content],
            "complaint": complaint,
        }


def asked_for(question: str, facts: Mapping[str, str]) -> list[str]:
    """The names of the facts that a line of the service asks for and does not hold already."""
    if _PROPOSES.search(question):
        return []
    if "?" not in question and not re.search(r"\b(please|need|tell|give|provide)\b", question, re.I):
        return []
    plain = question.casefold().replace("e-mail", "email").replace("email address", "email")
    words = set(re.findall(r"\w+", plain))
    words |= {word.removesuffix("s") for word in words}
    found = {}
    for name, text in facts.items():
        rival = name.removeprefix("new ")
        generic = _GENERIC - {"new"} if rival != name and rival in facts else _GENERIC
        telling = [word for word in name.casefold().split() if word not in generic]
        if name.endswith("number") and not words & {"number", "id", "which"}:
            continue
        if telling and text.casefold() not in question.casefold() and all(word in words for word in telling):
            found[name] = telling
    # "new item" is not "item", and who asks for the one does not ask for the other
    return [name for name in found if not any(name in other and name != other for other in found)]


def audit_line(line: str, facts: Mapping[str, str], conversation: Sequence[Message], tool_names: Sequence[str]) -> str:
    """What is wrong with a user's line, in words, or nothing."""
    if len(_SENTENCE_END.findall(line)) > 1:
        return "said more than a sentence or two"
    lowered = line.lower()
    named = next((name for name in tool_names if "_" in name and name.lower() in lowered), None)
    if named is not None:
        return f"named the tool {named}"
    if "{" in line or "}" in line or "\n" in line:
        return "wrote code instead of a sentence"
    if found := _SPEAKS_FOR_THE_SERVICE.search(line):
        return f"spoke for the service ({found[0]!r})"
    known = " ".join([*facts.values(), *(message.content or "" for message in conversation)])
    invented = next((number for number in _DIGITS.findall(line) if number not in known), None)
    if invented is not None:
        return f"invented {invented}"
    if line in {(message.content or "").strip() for message in conversation if message.role == "assistant"}:
        return "repeated the service's words"
    return ""


def _volunteered(line: str, asked: Sequence[str], facts: Mapping[str, str], conversation: Sequence[Message]) -> str:
    """Whether a line tells much that nobody asked for. One thing more is how people talk, and an assistant may have
    asked for another in words that :func:`asked_for` does not know."""
    told = " ".join(message.content or "" for message in conversation).casefold()
    new = [
        name
        for name, fact in facts.items()
        if name not in asked
        and len(fact) >= _TELLING
        and fact.casefold() in line.casefold()
        and fact.casefold() not in told
    ]
    return f"told what nobody had asked for: {', '.join(new)}" if len(new) > _MOST_VOLUNTEERED else ""


def _kept_back(line: str, asked: Sequence[str], facts: Mapping[str, str]) -> str:
    """Whether a line tells nothing of what was asked for."""
    said = set(re.findall(r"\w+", line.casefold()))
    for name in asked:
        words = re.findall(r"\w+", facts[name].casefold())
        if sum(word in said for word in words) >= 0.6 * len(words):
            return ""
    return f"did not tell the {asked[0]}, which is: {facts[asked[0]]}" if asked else ""
