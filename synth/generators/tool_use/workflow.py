"""The way through a task: what is looked up before something is changed, and what only the user can tell.

Found by program, on a copy of the environment: an id that nobody carries in their head (a customer's, a payment
method's, an item's) is looked up by calls that start from what people do know; what a user has to choose from such a
result, they describe in its words. SYNTHAGENT's workflow of sub-goals (arXiv 2601.22511), made from calls that went
through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

import orjson

from synth.environments.environment import Environment
from synth.environments.vocabulary import RecordedCall, ToolSpec
from synth.environments.world import World
from synth.generators.tool_use.blueprint import Action, Blueprint
from synth.generators.tool_use.describing import describe, label, states, texts_in
from synth.generators.tool_use.grounding import Grounds, find_grounds, near_values
from synth.messages import Json

_DEPTH = 3
"""Most lookups in a row that lead to one id."""
_MOST_LOOKUPS = 60
_MOST_VALUES = 4
"""Values that one lookup is tried with."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What the user knows: its name, and how they say it. ``exact``: it has to be said to the letter."""

    name: str
    text: str
    exact: bool = True

    def told_in(self, text: str) -> bool:
        """Whether a text says it; what the user describes may be said in part."""
        if self.exact:
            return states(text, self.text)
        said = set(re.findall(r"\w+", text.casefold()))
        words = re.findall(r"\w+", self.text.casefold())
        return sum(word in said for word in words) >= 0.6 * len(words)


@dataclass(frozen=True, slots=True)
class Step:
    """One call. ``needs`` are the names of the facts that the user has to tell before it."""

    tool: str
    arguments: Mapping[str, Any]
    writes: bool
    needs: tuple[str, ...]

    def done_by(self, call: RecordedCall) -> bool:
        """Whether this recorded call is the step, carried out."""
        if call.name != self.tool or call.result.error or (call.result.fault and not call.result.wrote):
            return False
        return bool(orjson.loads(call.arguments) == dict(self.arguments))


@dataclass(frozen=True, slots=True)
class Workflow:
    """``facts``: everything that the user knows and the agent has to ask for, by name."""

    steps: tuple[Step, ...]
    facts: Mapping[str, Fact]

    @property
    def tools(self) -> list[str]:
        return list(dict.fromkeys(step.tool for step in self.steps))


async def plan_workflow(world: World, environment: Environment, blueprint: Blueprint) -> Workflow:
    """The calls that lead to the blueprint's actions, and these; ``environment`` is a fresh one."""
    grounds = await find_grounds(environment)
    async with environment.fresh() as trial:
        search = _Search(trial, [tool for tool in world.tools if not tool.writes], grounds, blueprint)
        for action in blueprint.actions:
            await search.add(action)
            await trial.call(action.tool, orjson.dumps(dict(action.arguments)).decode())
    return Workflow(tuple(search.steps), search.facts)


@dataclass(frozen=True, slots=True)
class _Lookup:
    tool: str
    arguments: Json
    result: Any
    shows: frozenset[str]

    @property
    def uses(self) -> list[str]:
        return [text for value in self.arguments.values() for text in texts_in(value)]


class _Search:
    """Makes the steps of one workflow. ``told`` are the ids that the user knows."""

    def __init__(self, trial: Environment, readers: list[ToolSpec], grounds: Grounds, blueprint: Blueprint) -> None:
        self.steps: list[Step] = []
        self.facts: dict[str, Fact] = {}
        self._trial = trial
        self._readers = readers
        self._grounds = grounds
        self._near = blueprint.near or {}
        self._told: dict[str, str] = {}
        self._lookups: list[_Lookup] = []

    async def add(self, action: Action) -> None:
        """Look up who is concerned, what is to be changed, and what the user chooses from; then act."""
        keys = [(name, text) for name, value in action.arguments.items() for text in texts_in(value)]
        keys = [(name, text) for name, text in keys if text in self._grounds.keys]
        await self._look_around()
        for name, key in keys:
            if self._alone(key) is None and not self._named(key):
                self._told[key] = label(name)
        await self._look_around()
        for _, key in keys:
            for owner in self._grounds.owners(key):
                self._look_up(self._alone(owner))
        for _, key in keys:
            self._look_up(self._alone(key) or self._of(key))
        needs = [self._tell(fact) for fact in self._facts_of(action)]
        self.steps.append(Step(action.tool, action.arguments, True, tuple(needs)))

    def _facts_of(self, action: Action) -> Iterator[Fact]:
        """What the user has to say of an action's arguments."""
        form = self._grounds.form_in(action.arguments)
        if form:
            name, parts = form
            yield Fact(f"new {name}", ", ".join(str(action.arguments[part]) for part in parts), exact=False)
        for name, value in action.arguments.items():
            if form and name in form[1]:
                continue
            if isinstance(value, dict):
                parts = [part if isinstance(part, str) else orjson.dumps(part).decode() for part in value.values()]
                yield Fact(f"new {label(name)}", ", ".join(parts), exact=False)
                continue
            texts = list(texts_in(value))
            if not texts:
                yield Fact(label(name), orjson.dumps(value).decode())
                continue
            said = [self._say(text) for text in texts]
            if any(said):
                called = label(name) if said == texts else label(name).removesuffix(" number")
                yield Fact(called, ", ".join(filter(None, said)), exact=said == texts)

    def _say(self, text: str) -> str:
        """How the user says an argument; nothing for what they do not have to say."""
        if not self._is_id(text):
            return text
        if self._alone(text) is not None:
            return ""
        shown = {(step.tool, orjson.dumps(dict(step.arguments))) for step in self.steps}
        for lookup in sorted(self._lookups, key=lambda one: (one.tool, orjson.dumps(one.arguments)) not in shown):
            if said := describe(lookup.result, text):
                self._look_up(lookup)
                return said
        return text

    async def _look_around(self) -> None:
        """Make every lookup that is possible with what is known, and with what that shows."""
        made = {(one.tool, orjson.dumps(one.arguments)) for one in self._lookups}
        for _ in range(_DEPTH):
            for tool in self._readers:
                for arguments in self._possible(tool):
                    if (tool.name, orjson.dumps(arguments)) in made or len(made) >= _MOST_LOOKUPS:
                        continue
                    made.add((tool.name, orjson.dumps(arguments)))
                    result = await self._trial.call(tool.name, orjson.dumps(arguments).decode())
                    if not result.error and not result.fault:
                        value = orjson.loads(result.content)
                        self._lookups.append(_Lookup(tool.name, arguments, value, frozenset(texts_in(value))))

    def _possible(self, tool: ToolSpec) -> Iterator[Json]:
        properties: Json = tool.tool.parameters.get("properties", {})
        required: list[str] = list(tool.tool.parameters.get("required", ()))
        shown = {text for one in self._lookups for text in one.shows}
        for names in [required] if required else [[name] for name in properties]:
            known = [
                [
                    value
                    for value in dict.fromkeys(near_values(name, properties[name], self._near))
                    if self._sayable(value, shown)
                ]
                for name in names
            ]
            for values in islice(product(*known), _MOST_VALUES) if names else ():
                yield dict(zip(names, values, strict=True))

    def _sayable(self, value: Any, shown: set[str]) -> bool:
        """Whether somebody can know a value: the user, or who has read the results so far."""
        return isinstance(value, str) and bool(value) and (not self._is_id(value) or value in shown)

    def _is_id(self, text: str) -> bool:
        """Whether nobody carries it in their head."""
        return text in self._grounds.ids and text not in self._told

    def _alone(self, key: str) -> _Lookup | None:
        """The lookup that leads from what people know to this id and to no other of its table."""
        rivals = self._grounds.table_of(key)
        for one in self._lookups:
            if key in one.shows and len(rivals & one.shows) == 1 and not (self._grounds.ids & set(one.uses)):
                return one
        return None

    def _named(self, key: str) -> bool:
        """Whether some lookup tells the thing with this id by its name."""
        return any(describe(one.result, key, named=True) for one in self._lookups if key not in one.uses)

    def _of(self, key: str) -> _Lookup | None:
        """The lookup that is asked for this id alone."""
        return next((one for one in self._lookups if one.uses == [key]), None)

    def _look_up(self, lookup: _Lookup | None) -> None:
        """Make this lookup a step, after those that show what it needs."""
        if lookup is None or any((step.tool, step.arguments) == (lookup.tool, lookup.arguments) for step in self.steps):
            return
        needs = []
        for name, value in lookup.arguments.items():
            if not self._is_id(value):
                needs.append(self._tell(Fact(label(name), value)))
            else:
                shown = (one for one in self._lookups if value in one.shows and value not in one.uses)
                self._look_up(next(shown, None))
        self.steps.append(Step(lookup.tool, lookup.arguments, False, tuple(needs)))

    def _tell(self, fact: Fact) -> str:
        """Note a fact, under a name that no other fact has; what is told once is one fact."""
        for known in self.facts.values():
            if known.text == fact.text:
                return known.name
        name, number = fact.name, 2
        while name in self.facts:
            name, number = f"{fact.name} {number}", number + 1
        self.facts[name] = replace(fact, name=name)
        return name
