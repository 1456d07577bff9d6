"""A planner, a user and three assistants for ``tool_use`` in ``retail``, without a model: for tests and benchmarks.

``Desk("asks")`` asks for what it needs, looks up, waits for a yes, acts; ``Desk("never asks")`` acts on values of its
own; ``Desk("acts first")`` knows the right values by magic, and acts before anyone has told them. What a planner was
told is remembered by the opening line that it made of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import orjson

from synth.generators.tool_use.describing import describe
from synth.generators.tool_use.task import as_wish
from synth.messages import Json

Style = Literal["asks", "never asks", "acts first"]
_LOOKUPS = {"order number": "get_order", "payment method": "get_customer", "new item": "get_product"}
_FORM = ("line1", "city", "postal_code", "country", "line2", "region")
_FACTS = {
    "order_id": "order number",
    "item_ids": "item",
    "new_item_ids": "new item",
    "payment_method_id": "payment method",
    "line1": "new address",
    "reason": "reason",
}
_GUESS = {"email": "someone@example.org", "order number": "W1000000", "reason": "no longer needed"}


class Desk:
    """Answers request bodies of the chat API; give ``answer`` to :class:`tests.servers.ChatServer`."""

    def __init__(self, style: Style = "asks") -> None:
        self._style = style
        self._cases = 0
        self._magic: dict[str, dict[str, str]] = {}

    def answer(self, body: Json) -> str | Json:
        messages: list[Json] = body["messages"]
        text = str(messages[-1]["content"])
        if "tools" in body:
            return self._assist(messages, {tool["function"]["name"]: tool["function"] for tool in body["tools"]})
        if wishes := re.findall(r"(?m)^Wish: (.*) \(.*\)$", text):
            self._cases += 1
            case = "".join("abcdefghij"[int(digit)] for digit in str(self._cases))
            opening = f"Hello, I am case {case} and would like this: {wishes[-1]}."
            return orjson.dumps({"goal": f"I want this: {wishes[-1]}.", "opening": opening}).decode()
        if said := re.search(r"Write JSON such as (\{.*?\});", text):
            facts = re.findall(r"(?m)^- my (.*?): (.*)$", str(messages[0]["content"]))
            self._magic[re.findall(r"(?m)^You: (.*)$", text)[0]] = dict(facts)
            return said[1]
        if said := re.search(r"(?m), such as: (.*)$", text):
            return said[1]
        told = re.search(r"The customer has told: (.*)", text)
        results = dict(enumerate(orjson.loads(one) for one in re.findall(r"(?m)^The system answers: (.*)$", text)))
        names = re.findall(r"(?m)^- (\w+)", text)
        facts = [part.split(": ", 1) for part in told[1].split("; ")] if told else []
        return orjson.dumps(_arguments(names, dict(facts), results)).decode()

    def _assist(self, messages: list[Json], tools: Mapping[str, Json]) -> str | Json:
        opening = next(str(one["content"]) for one in messages if one["role"] == "user")
        name = next(n for n, tool in tools.items() if opening.endswith(f": {as_wish(tool['description'])}."))
        results = {
            call["function"]["name"]: orjson.loads(result["content"])
            for asked, result in pairwise(messages)
            for call in asked.get("tool_calls") or ()
        }
        if name in results:
            return "It has been done as you wished."
        wanted = ["email", *(fact for key, fact in _FACTS.items() if key in tools[name]["parameters"]["properties"])]
        facts = _told(messages)
        match self._style:
            case "asks" if missing := [fact for fact in wanted if fact not in facts]:
                return f"Could you tell me your {missing[0]}, please?"
            case "never asks":
                facts = {fact: _GUESS.get(fact, "something") for fact in wanted}
            case "acts first" if opening not in self._magic:
                return "Hello, I am glad that you are here."
            case "acts first":
                facts = self._magic[opening]
        lookups = {"email": "find_customer"} | _LOOKUPS
        for fact, lookup in lookups.items():
            if fact in wanted and lookup in tools and lookup not in results:
                return _call(tools[lookup], facts, results)
        if (
            self._style == "asks"
            and not str(messages[-1]["content"]).startswith("Yes")
            and messages[-1]["role"] == "user"
        ):
            return "I am going to do what you ask for. Is that right?"
        asked = [str(one["content"]) for one in messages if one["role"] == "assistant"]
        if self._style == "asks" and not any("Is that right?" in line for line in asked):
            return "I am going to do what you ask for. Is that right?"
        return _call(tools[name], facts, results)


def _told(messages: list[Json]) -> dict[str, str]:
    """What the user has answered to each question."""
    found = {}
    for question, line in pairwise(messages):
        asked = re.search(r"tell me your (.*), please", str(question["content"]))
        if asked and line["role"] == "user":
            found[asked[1]] = re.sub(r"^(Sure, it's|It is|My .*? is) ", "", str(line["content"])).rstrip(".")
    return found


def _call(tool: Json, facts: Mapping[str, str], results: Mapping[Any, Any]) -> Json:
    arguments = _arguments(list(tool["parameters"]["properties"]), facts, results)
    call = {"name": tool["name"], "arguments": orjson.dumps(arguments).decode()}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": call}]}


def _arguments(names: list[str], facts: Mapping[str, str], results: Mapping[Any, Any]) -> Json:
    """The values of parameters, from what was told and looked up."""
    made: Json = _form(facts.get("new address", "")) if "line1" in names else {}
    found = [one for one in results.values() if isinstance(one, dict)]
    for name in names:
        text = facts.get(_FACTS.get(name, name))
        if name == "customer_id":
            made[name] = next((one[name] for one in found if name in one), "cus_1")
        elif name == "product_id":
            items: list[Json] = next((one["items"] for one in found if "items" in one), [])
            ordered = _find(facts.get("item", ""), results)
            made[name] = next((item[name] for item in items if item["item_id"] == ordered), "P1")
        elif name.endswith("_ids") and text is not None:
            made[name] = [_find(text, results)]
        elif text is not None and name not in made:
            made[name] = _find(text, results) if name == "payment_method_id" else text
    return made


def _find(text: str, results: Mapping[Any, Any]) -> str:
    """The id of what the user describes."""
    ids = {word for result in results.values() for word in re.findall(r'"([^"]*)"', orjson.dumps(result).decode())}
    return next((one for one in sorted(ids) for result in results.values() if describe(result, one) == text), text)


def _form(text: str) -> Json:
    """An address as one line, back in its parts: apartments have a number, and regions come last."""
    parts = text.split(", ")
    made: Json = {}
    has_line2 = len(parts) > 1 and any(part.startswith("Apt ") for part in parts)
    names = ["city", "postal_code", "country", *(["line2"] if has_line2 else []), "region"]
    for name in reversed(names):
        if len(parts) > 1:
            made[name] = parts.pop()
    made["line1"] = ", ".join(parts)
    return {name: made[name] for name in _FORM if name in made}
