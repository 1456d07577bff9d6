"""A unit whose models answer from a function: no server, no store."""

from collections.abc import Callable
from pathlib import Path

from synth.agents.context import UnitContext
from synth.example import Seed, WorkUnit
from synth.generators.base import Setup
from synth.messages import Json, Message, StopReason, Usage
from synth.models.caller import CallRecord
from synth.models.client import Request, Response
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.models import ModelSpec

Answers = Callable[[str, int, Request], str]
"""What a role answers: role, number of the sample, request."""


class ScriptedCaller:
    def __init__(self, answers: Answers) -> None:
        self.asked: list[str] = []
        self._answers = answers

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        self.asked.append(key)
        role, sample = key.split(".")[:2]
        answer = Message("assistant", self._answers(role, int(sample), request))
        response = Response(answer, Usage(1, 1), StopReason.STOP, model)
        return CallRecord(f"{unit}/{key}", unit, model, "f", request, response, 0.0, 0.0, 1, "sent")


def make_setup(spec: GeneratorSpec, seeds: tuple[Seed, ...] = ()) -> Setup:
    models = {"m": ModelSpec(provider="scripted"), "other": ModelSpec(provider="scripted")}
    return Setup(spec, models, Path(), seeds)


def make_context(answers: Answers, fields: Json, *, index: int = 0) -> tuple[UnitContext, ScriptedCaller]:
    caller = ScriptedCaller(answers)
    unit = WorkUnit("g", "k", index, 0, Seed("s", fields), {}, 7 + index)
    return UnitContext(unit, caller), caller
