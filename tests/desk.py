"""A planner, a user and three assistants for ``tool_use`` in ``retail``, without a model: for tests and benchmarks.

``Desk("asks")`` asks for what it needs, looks up, waits for a yes, acts; ``Desk("never asks")`` acts on values of its
own; ``Desk("acts first")`` knows the right values by magic, and acts before anyone has told them. What a planner was
told is remembered by the opening line that it made of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

import orjson

from synth.generators.tool_use.workflow import describe
from synth.messages import Json

Style = Literal["asks", "never asks", "acts first"]
_LOOKUPS = {"email": "find_customer", "order number": "get_order"}
_FORM = ("line1", "city", "postal_code", "country", "line2", "region")
_GUESS = {"email": "someone@example.org", "order number": "W1000000", "reason": "no longer needed"}


class Desk:
    """Answers request bodies of the chat API; give ``answer`` to :class:`tests.servers.ChatServer`."""

    def __init__(self, style: Style = "asks") -> None:
        self._style = style
        self._tasks: dict[str, tuple[str, dict[str, str]]] = {}

    def answer(self, body: Json) -> str | Json:
        messages: list[Json] = body["messages"]
        if "tools" in body:
            return self._assist(messages, {tool["function"]["name"]: tool["function"] for tool in body["tools"]})
        text = str(messages[-1]["content"])
        if "A customer wants this:" in text:
            return self._plan(text)
        if told := re.search(r"with exactly this: (.*)\.", text):
            return _say(f"It is {told[1]}.")
        return _say("I would rather leave everything as it is." if "changed your mind" in text else "Yes, please.")

    def _plan(self, text: str) -> str:
        wish = re.findall(r"(?m)^- (.*)$", text)[0].split(".")[0].split(":")[0]
        told = re.search(r"Details: (.*)", text)
        facts = dict(part.split(": ", 1) for part in told[1].split("; ")) if told else {}
        number = "".join("abcdefghij"[int(digit)] for digit in str(len(self._tasks)))
        opening = f"Hello, mine is case {number}, I would like this: {wish}."
        self._tasks[opening] = (wish, facts)
        return orjson.dumps({"goal": f"I want this: {wish}.", "opening": opening}).decode()

    def _assist(self, messages: list[Json], tools: Mapping[str, Json]) -> str | Json:
        text, _, hint = str(messages[-1]["content"] or "").partition("\n\n(Note: ")
        messages = [*messages[:-1], messages[-1] | {"content": text}]
        wish, facts = self._tasks[next(str(one["content"]) for one in messages if one["role"] == "user")]
        name = next(name for name, tool in tools.items() if tool["description"].startswith(wish))
        results = {
            call["function"]["name"]: orjson.loads(result["content"])
            for asked, result in pairwise(messages)
            for call in asked.get("tool_calls") or ()
        }
        if hint:
            return self._follow(hint, tools, facts, results)
        if any(str(one["content"]).startswith("It is done") for one in messages if one["role"] == "assistant"):
            return "There is nothing more that I can do."
        said = "\n".join(str(one["content"]) for one in messages if one["role"] == "user")
        missing = [fact for fact, text in facts.items() if text not in said]
        if self._style == "never asks":
            facts = {fact: _GUESS.get(fact, "something") for fact in facts}
        if self._style == "asks" and missing:
            return f"Could you tell me the {missing[0]}, please?"
        for fact, lookup in _LOOKUPS.items():
            if fact in facts and lookup in tools and lookup not in results:
                return _call(tools[lookup], facts, results)
        for fact, lookup in (("payment method", "get_customer"), ("new item", "get_product")):
            if fact in facts and lookup in tools and lookup not in results:
                return _call(tools[lookup], facts, results)
        if self._style == "asks" and not said.endswith("Yes, please."):
            return "I am going to do what you ask for. Is that right?"
        return "It is done as you wished." if name in results else _call(tools[name], facts, results)

    def _follow(self, hint: str, tools: Mapping[str, Json], facts: Mapping[str, str], results: Json) -> str | Json:
        if asked := re.match(r"ask the user for the (.*) now", hint):
            return f"Could you tell me the {asked[1]}, please?"
        if due := re.match(r"call the tool (\w+) now", hint):
            return _call(tools[due[1]], facts, results)
        if hint.startswith("the policy forbids"):
            return "I am sorry, I cannot do that, our policy does not allow it."
        if hint.startswith("the user has changed"):
            return "All right, nothing was changed."
        return "It is done as you wished." if hint.startswith("all is done") else "I will do that. Is it right?"


def _call(tool: Json, facts: Mapping[str, str], results: Json) -> Json:
    arguments = {}
    names = list(tool["parameters"]["properties"])
    if set(_FORM) <= set(names):
        arguments = _form(facts.get("new address", ""))
    for name in names:
        text = facts.get(_FACTS.get(name, name))
        if name == "customer_id":
            arguments[name] = results.get("find_customer", {}).get("customer_id", "cus_1")
        elif name == "product_id":
            items = results.get("get_order", {}).get("items", [])
            ordered = _find(facts.get("item", ""), results)
            arguments[name] = next((item[name] for item in items if item["item_id"] == ordered), "P1")
        elif name.endswith("_ids") and text is not None:
            arguments[name] = [_find(text, results)]
        elif text is not None and name not in arguments:
            arguments[name] = _find(text, results) if name == "payment_method_id" else text
    call = {"name": tool["name"], "arguments": orjson.dumps(arguments).decode()}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": call}]}


_FACTS = {
    "order_id": "order number",
    "payment_method_id": "payment method",
    "item_ids": "item",
    "new_item_ids": "new item",
}


def _find(text: str, results: Json) -> str:
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


def _say(line: str) -> str:
    return orjson.dumps({"say": line, "done": False}).decode()
