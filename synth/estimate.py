"""What a run is likely to take, told beforehand and offline: calls, tokens, USD and minutes.

Nobody can know how much of what a model makes will be accepted, so the estimate is for a run where every first attempt
is; ``attempts`` says how many times as much a recipe allows. The teacher's echo counts, and so do personas that a model
writes. Input tokens follow from the rendered prompts of the first units, by the model's tokenizer where that can be
read; an answer is taken to be a quarter of ``max_tokens`` long, as answers of the shipped kinds are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import orjson

from synth.diversity.personas import PersonaWriter
from synth.errors import ResponseError, RunError
from synth.example import WorkUnit
from synth.line import count_echoes
from synth.messages import Json, Usage
from synth.models.caller import CallRecord
from synth.models.client import Request
from synth.models.prices import find_price
from synth.models.tokenizer import CountText, find_counter
from synth.outline import Asked, outline
from synth.prepared import Prepared
from synth.recipe.models import ModelSpec
from synth.recipe.schema import Recipe

_SAMPLED_UNITS = 10
_SHARE_OF_MAX_TOKENS = 0.25
# Tokens a second of one answer, and of all answers together.
_SPEEDS = {"embedded": (35.0, 70.0), "transformers": (30.0, 30.0), "vllm": (40.0, 4000.0), "openai": (60.0, math.inf)}


@dataclass(frozen=True, slots=True)
class Amounts:
    """``cost_usd`` is None where a model has no known price."""

    calls: int
    usage: Usage
    cost_usd: float | None
    seconds: float

    def to_dict(self) -> Json:
        return {
            "calls": self.calls,
            "tokens": {"input": self.usage.input, "output": self.usage.output},
            "cost_usd": None if self.cost_usd is None else round(self.cost_usd, 6),
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True, slots=True)
class GeneratorEstimate:
    """One generator alone. ``first`` are the calls of its first unit; ``amounts`` is None where it cannot be told."""

    id: str
    kind: str
    count: int
    calls_each: float
    amounts: Amounts | None
    first: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A whole run; ``amounts`` leaves out the generators that cannot be told."""

    generators: tuple[GeneratorEstimate, ...]
    amounts: Amounts

    def to_dict(self) -> Json:
        known = {one.id: one.amounts.to_dict() if one.amounts else None for one in self.generators}
        return self.amounts.to_dict() | {"generators": known}


async def estimate(prepared: Prepared) -> Estimate:
    """Estimate a run of ``prepared`` from nothing; asks no model."""
    recipe = prepared.loaded.recipe
    counters = {name: find_counter(spec, prepared.loaded.base) for name, spec in recipe.models.items()}
    generators: list[GeneratorEstimate] = []
    in_all: dict[str, _Load] = defaultdict(_Load)
    personas = await _personas(recipe, counters)
    for spec, plan, generator in prepared.generators:
        units: list[WorkUnit] = [plan.unit(index) for index in range(min(spec.count, _SAMPLED_UNITS))]
        sampled = [await outline(spec, generator, unit, prepared.gates) for unit in units]
        known = [asked for asked in sampled if asked is not None]
        load = _load_of(known, spec.count / len(units), counters)
        if (echoes := count_echoes(recipe, spec, prepared.seeds)) and known:
            greedy = [replace(unit, echo=True, long_tail=()) for unit in units[:echoes]]
            said = [await outline(spec, generator, unit) for unit in greedy]
            _add(load, _load_of([_once(asked or ()) for asked in said], echoes / len(greedy), counters))
        if plan.has_personas:
            _add(load, personas)  # they are written for whoever comes first
            personas = {}
        _add(in_all, load)
        generators.append(
            GeneratorEstimate(
                id=spec.id,
                kind=spec.kind,
                count=spec.count,
                calls_each=sum(map(len, known)) / len(units),
                amounts=_amounts(recipe, load) if known else None,
                first=known[0] if known else (),
            )
        )
    return Estimate(tuple(generators), _amounts(recipe, in_all))


@dataclass(slots=True)
class _Load:
    """What one model has to do."""

    calls: float = 0
    input: float = 0
    output: float = 0

    def __iadd__(self, other: _Load) -> _Load:
        self.calls += other.calls
        self.input += other.input
        self.output += other.output
        return self


def _add(loads: dict[str, _Load], more: Mapping[str, _Load]) -> None:
    for model, part in more.items():
        loads[model] += part


async def _personas(recipe: Recipe, counters: Mapping[str, CountText]) -> Mapping[str, _Load]:
    """What it takes to have the recipe's personas written, if it asks for that."""
    if recipe.personas is None or recipe.personas.generate is None:
        return {}
    count = min(recipe.personas.generate, _SAMPLED_UNITS)
    nobody = _Nobody()
    with suppress(RunError):  # no persona comes of it
        await PersonaWriter(recipe, count).personas(nobody)
    return _load_of([nobody.asked], recipe.personas.generate / count, counters)


class _Nobody:
    """A caller that notes what it is asked, and gives no answer."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        self.asked.append(Asked(model, key.partition(".")[0], request))
        raise ResponseError("nobody answers", kind="empty")


def _once(asked: Sequence[Asked]) -> list[Asked]:
    """What an echo asks: greedily, so that samples of the same are one call."""
    return list({(call.model, call.request.messages): call for call in asked}.values())


def _load_of(sampled: Sequence[Sequence[Asked]], times: float, counters: Mapping[str, CountText]) -> dict[str, _Load]:
    loads: dict[str, _Load] = defaultdict(_Load)
    for asked in sampled:
        answers = {call.stand_in: _answer_tokens(call) for call in asked}
        for call in asked:
            texts = [message.content or "" for message in call.request.messages]
            repeated = sum(text.count(stand_in) * tokens for text in texts for stand_in, tokens in answers.items())
            tools = orjson.dumps([tool.to_dict() for tool in call.request.tools]).decode() if call.request.tools else ""
            size = sum(map(counters[call.model], [*texts, tools])) + repeated
            loads[call.model] += _Load(times, times * size, times * _answer_tokens(call))
    return loads


def _answer_tokens(call: Asked) -> float:
    return call.request.sampling.max_tokens * _SHARE_OF_MAX_TOKENS


def _amounts(recipe: Recipe, loads: dict[str, _Load]) -> Amounts:
    cost: float | None = 0.0
    for name, load in loads.items():
        spec = recipe.models[name]
        price = find_price(spec, spec.base_url)
        usage = Usage(round(load.input), round(load.output))
        cost = None if price is None or cost is None else cost + price.cost(usage)
    return Amounts(
        calls=round(sum(load.calls for load in loads.values())),
        usage=Usage(
            round(sum(load.input for load in loads.values())), round(sum(load.output for load in loads.values()))
        ),
        cost_usd=cost,
        # Models work side by side.
        seconds=max((_seconds(recipe.models[name], load) for name, load in loads.items()), default=0.0),
    )


def _seconds(spec: ModelSpec, load: _Load) -> float:
    one, together = _SPEEDS.get(spec.provider, (math.inf, math.inf))
    seconds = load.output / min(one * spec.concurrency, together)
    if spec.limits.rpm:
        seconds = max(seconds, 60 * load.calls / spec.limits.rpm)
    if spec.limits.tpm:
        seconds = max(seconds, 60 * (load.input + load.output) / spec.limits.tpm)
    return seconds
