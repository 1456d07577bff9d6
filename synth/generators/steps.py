"""One step of a ``custom`` ensemble: when it is taken, how often it is asked, what its answers are worth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from textwrap import shorten
from typing import Any

import orjson

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.agents.together import together
from synth.errors import Rejected
from synth.fingerprint import canonical_json
from synth.generators.answers import normalize_answer, parse_final_answer
from synth.generators.base import Setup
from synth.prompts import PromptError, Template, template_from_recipe
from synth.recipe.kinds.custom import StepSpec
from synth.recipe.step_order import rounds_of
from synth.sandbox.program import Limits, run_program

_FALSE = {"", "false", "no", "none", "null"}
_LIMITS = Limits(seconds=5.0)
_MOST_WORDS_OF_AN_ANSWER = 3
"""A number with its unit, not a sentence with a number in it."""


class Step:
    """``again_from`` is the place of the step to go back to while this one is not satisfied."""

    def __init__(self, setup: Setup, spec: StepSpec, *, again_from: int) -> None:
        self.name = spec.name
        self.rounds = rounds_of(spec)
        self.again_from = again_from
        self._spec = spec
        prefix = f"{setup.spec.id}.{spec.name}"
        prompt = template_from_recipe(spec.prompt, setup.base, prefix)
        system = template_from_recipe(spec.system, setup.base, f"{prefix}.system") if spec.system else None
        refs = spec.agent if isinstance(spec.agent, list) else [spec.agent]
        self._agents: list[Agent] = [
            setup.agent_from(ref, spec.name, prompt, schema=spec.schema_, system=system, repairs=spec.repairs)
            for ref in refs
        ]
        self._when = template_from_recipe(spec.when, setup.base, f"{prefix}.when") if spec.when else None
        self._until = template_from_recipe(spec.until, setup.base, f"{prefix}.until") if spec.until else None

    def is_wanted(self, context: UnitContext, results: Mapping[str, Any]) -> bool:
        """Whether ``when`` holds."""
        return self._when is None or is_true(self._when, {**context.variables, **results})

    async def take(self, context: UnitContext, results: Mapping[str, Any], take: int) -> Any:
        """The step's result: a value, or the list of all samples where nobody votes.

        ``take`` numbers the times that an attempt takes the step: its agents are asked in turn over all of them.
        """
        samples, agents = self._spec.samples, self._agents
        first = take * samples

        async def ask(number: int) -> Any:
            try:
                return (await agents[number % len(agents)].ask(context, results, sample=number)).value
            except Rejected as rejected:
                if self._spec.vote is None or rejected.gate == "template":
                    raise
                return rejected  # it has no vote, and the others may agree without it

        values = await together(ask(number) for number in range(first, first + samples))
        if self._spec.vote is not None:
            return vote(values, self._spec.vote, self.name)
        return values if samples > 1 else values[0]

    async def complaint(self, context: UnitContext, results: Mapping[str, Any]) -> Rejected | None:
        """What keeps the step from being satisfied with its result."""
        visible = {**context.variables, **results}
        if self._spec.check is not None:
            result = await run_program(checking_program(self._spec.check, visible), limits=_LIMITS)
            if not result.finished:
                return Rejected("check", f"{self.name}: {result.complaint}", text=as_read(results[self.name]))
        if self._until is not None and not is_true(self._until, visible):
            reason = f"{self.name}: not satisfied after {self.rounds} rounds"
            return Rejected("until", reason, text=as_read(results[self.name]))
        return None


def as_read(result: Any) -> str:
    """What a step came to, as people read it: text as it is, all else as JSON."""
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)


def is_true(template: Template, visible: Mapping[str, Any]) -> bool:
    """Whether it renders to something else than false, a zero, no, none, null or nothing. Raises ``Rejected``."""
    try:
        said = template.render(visible).lower()
    except PromptError as error:
        raise Rejected("template", error.message) from error
    return said not in _FALSE and not _is_zero(said)


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0
    except ValueError:
        return False


def vote(values: list[Any], share: float, name: str) -> Any:
    """The value that most samples agree on: by their final answer, or as they are where there is none.

    A sample that is a ``Rejected`` counts among the samples, and for no value. Raises ``Rejected`` (gate ``vote``) on a
    tie, or below ``share``; the sample itself where all are.
    """
    keys = [None if isinstance(value, Rejected) else _vote_key(value) for value in values]
    ranked = Counter(key for key in keys if key is not None).most_common(2)
    if not ranked:
        raise values[0]
    if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
        raise Rejected("vote", f"{name}: a tie between {_told(ranked)}", text=as_read(values[0]))
    if ranked[0][1] / len(values) < share:
        raise Rejected("vote", f"{name}: only {ranked[0][1]} of {len(values)} agree", text=as_read(values[0]))
    return values[keys.index(ranked[0][0])]


def _told(ranked: list[tuple[bytes, int]]) -> str:
    return " and ".join(shorten(key.decode(errors="replace"), 80, placeholder="…") for key, _ in ranked)


def checking_program(check: str, visible: Mapping[str, Any]) -> str:
    """``check`` with every visible name bound to its value."""
    data = orjson.dumps(dict(visible), default=str).decode()
    return f"import json as _json\nglobals().update(_json.loads({data!r}))\n{check}\n"


def _vote_key(value: Any) -> bytes:
    if not isinstance(value, str):
        return canonical_json(value)
    answer = parse_final_answer(value)
    if answer is None and len(value.split()) > _MOST_WORDS_OF_AN_ANSWER:
        return " ".join(value.split()).casefold().encode()
    return normalize_answer(answer or value).encode()
