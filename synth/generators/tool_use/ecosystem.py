"""Synthetic tool ecosystems (SYNTHAGENT, arXiv 2601.22511, stages 1 and 3): a service and its tools from a persona or a
seed, for a model to act out.

A planner writes the service, three to five tools, a restriction and sub-goals; a second question drops tools that a
language model needs no tool for and adds one or two distractors. Tools are written as plain lists of parameters and
results, which small models get right where they get nested JSON Schema wrong; a program makes the schemas.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.diversity.personas import shipped_personas
from synth.environments.vocabulary import TOOL_NAME, ToolSpec
from synth.environments.world import World, mock_world
from synth.errors import Rejected
from synth.messages import Json, Tool
from synth.recipe.faults import FaultRates

_TRIES = 4
_NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)+$"
_VALUE: Json = {"type": "string", "enum": ["string", "integer", "number", "boolean"]}
_PARAMETER: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": r"^[a-z][a-z0-9_]{1,40}$"},
        "type": _VALUE,
        "description": {"type": "string", "minLength": 5, "maxLength": 200},
        "required": {"type": "boolean"},
    },
    "required": ["name", "type", "description", "required"],
    "additionalProperties": False,
}
_RESULT: Json = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": r"^[a-z][a-z0-9_]{1,40}$"}, "type": _VALUE},
    "required": ["name", "type"],
    "additionalProperties": False,
}
_TOOL: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": _NAME, "maxLength": 64},
        "description": {"type": "string", "minLength": 10, "maxLength": 300},
        "writes": {"type": "boolean"},
        "parameters": {"type": "array", "items": _PARAMETER, "minItems": 1, "maxItems": 4},
        "results": {"type": "array", "items": _RESULT, "minItems": 1, "maxItems": 2},
    },
    "required": ["name", "description", "writes", "parameters", "results"],
    "additionalProperties": False,
}
_READING = frozenset("check compare fetch find get list look read retrieve search show track view".split())
_WRITING = frozenset(
    "add apply approve assign book cancel change close confirm create delete issue log mark modify move open order pay"
    " place post refund register remove renew request reschedule reserve return schedule send set submit update".split()
)
_TEXT: Json = {"type": "string", "minLength": 10, "maxLength": 300}
ECOSYSTEM_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 3, "maxLength": 60},
        "service": _TEXT,
        "tools": {"type": "array", "items": _TOOL, "minItems": 3, "maxItems": 5},
        "restriction": {
            "type": "object",
            "properties": {"tool": {"type": "string"}, "rule": _TEXT},
            "required": ["tool", "rule"],
            "additionalProperties": False,
        },
        "goals": {"type": "array", "items": _TEXT, "minItems": 5, "maxItems": 7},
    },
    "required": ["name", "service", "tools", "restriction", "goals"],
    "additionalProperties": False,
}
CHECK_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "drop": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "distractors": {"type": "array", "items": _TOOL, "minItems": 1, "maxItems": 2},
    },
    "required": ["drop", "distractors"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Ecosystem:
    """A world that a planner thought up. ``forbidden`` is the tool of its restriction; ``goals`` its sub-goals."""

    world: World
    forbidden: str
    rule: str
    goals: tuple[str, ...]

    def to_dict(self) -> Json:
        return {"service": self.world.description, "policy": self.world.policy, "goals": list(self.goals)}


async def invent(planner: Agent, checker: Agent, context: UnitContext, faults: FaultRates) -> Ecosystem:
    """A service, its tools, a restriction and sub-goals. Raises ``Rejected`` (``ecosystem``) where none is usable."""
    complaint, text = "", ""
    for attempt in range(_TRIES):
        answer = await planner.ask(context, {**about(context), "complaint": complaint}, sample=attempt)
        made, text = tidied(answer.value), answer.text
        complaint = check_ecosystem(made)
        if not complaint:
            break
    else:
        raise Rejected("ecosystem", complaint, text=text)
    tools = made["tools"]
    checked = (await checker.ask(context, {"service": made["service"], "tools": tools})).value
    kept = [tool for tool in tools if tool["name"] not in checked["drop"]]
    if _lacks(kept) or made["restriction"]["tool"] in checked["drop"]:
        kept = tools  # a reviewer that leaves no service is wrong
    names = {tool["name"] for tool in kept}
    more = [
        {**tool, "writes": _writes(tool)}
        for tool in checked["distractors"]
        if tool["name"] not in names and not _malformed(tool)
    ]
    offered = [*kept, *{tool["name"]: tool for tool in more}.values()]
    random.Random(context.sample_seed("order of tools")).shuffle(offered)
    forbidden, rule = made["restriction"]["tool"], made["restriction"]["rule"].strip().rstrip(".")
    policy = (
        f"- The tool {forbidden} {rule[:1].lower()}{rule[1:]}.\n- Never make up an id or a value: ask, or look it up."
    )
    world = mock_world(made["name"], made["service"], [to_tool(t) for t in offered], policy=policy, faults=faults)
    return Ecosystem(world, forbidden, rule, tuple(made["goals"]))


def tidied(made: Json) -> Json:
    """A planner's answer with what a program can tell better: by its verb, whether a tool writes; and which tool a
    restriction with a slip in its name is about."""
    tools = [{**tool, "writes": _writes(tool)} for tool in made["tools"]]
    restricted = made["restriction"]["tool"]
    meant = get_close_matches(restricted, [tool["name"] for tool in tools], n=1, cutoff=0.8)
    return {**made, "tools": tools, "restriction": {**made["restriction"], "tool": meant[0] if meant else restricted}}


def _writes(tool: Json) -> bool:
    verb = tool["name"].partition("_")[0]
    return bool(verb in _WRITING or (tool["writes"] and verb not in _READING))


def check_ecosystem(made: Json) -> str:
    """What keeps a planner's answer from being a service, or nothing."""
    tools = made["tools"]
    names = [tool["name"] for tool in tools]
    if len(set(names)) < len(names):
        return "two of its tools have the same name"
    for tool in tools:
        if problem := _malformed(tool):
            return problem
    if missing := _lacks(tools):
        return missing
    forbidden = made["restriction"]["tool"]
    if forbidden not in names:
        return f"its restriction is about {forbidden!r}, which is none of its tools"
    return _lacks([tool for tool in tools if tool["name"] != forbidden], least=2) and (
        f"without {forbidden!r}, which it restricts, no wish can be carried out: restrict another tool"
    )


def to_tool(written: Json) -> ToolSpec:
    """A tool with its schemas, from a planner's list of parameters and results."""
    properties = {
        one["name"]: {"type": one["type"], "description": one["description"]} for one in written["parameters"]
    }
    parameters = {
        "type": "object",
        "properties": properties,
        "required": [one["name"] for one in written["parameters"] if one["required"]],
        "additionalProperties": False,
    }
    results = {one["name"]: {"type": one["type"]} for one in written["results"]}
    output = {"type": "object", "properties": results, "required": list(results), "additionalProperties": False}
    return ToolSpec(Tool(written["name"], written["description"], parameters), written["writes"], output)


def _malformed(tool: Json) -> str:
    if not TOOL_NAME.fullmatch(tool["name"]):
        return f"{tool['name']!r} cannot name a tool"
    names = [one["name"] for one in tool["parameters"]]
    if len(set(names)) < len(names):
        return f"two parameters of {tool['name']} have the same name"
    if not any(one["required"] for one in tool["parameters"]):
        return f"{tool['name']} requires no parameter"
    return ""


def _lacks(tools: Sequence[Json], *, least: int = 3) -> str:
    if len(tools) < least:
        return f"it has {len(tools)} tools; at least {least} are needed"
    if not any(tool["writes"] for tool in tools):
        return "none of its tools changes anything"
    if all(tool["writes"] for tool in tools):
        return "none of its tools looks anything up"
    return ""


def about(context: UnitContext) -> dict[str, Any]:
    """Who or what the service is for: the unit's seed, its persona, or one of the shipped people."""
    unit = context.unit
    if unit.seed is not None:
        return {"topic": "; ".join(str(value) for value in unit.seed.fields.values()), "about": ""}
    if unit.persona:  # told by the guidance
        return {"topic": "", "about": ""}
    people = shipped_personas()
    return {"topic": "", "about": people[context.sample_seed("person") % len(people)]["description"]}
