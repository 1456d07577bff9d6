"""Personas: who speaks in an example. Shipped, read from a file, or written by the first model."""

from __future__ import annotations

import asyncio
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from synth.agents.agent import Agent, resolve_sampling
from synth.agents.context import UnitContext
from synth.errors import Problem, RecipeError, Rejected, RunError
from synth.example import WorkUnit
from synth.fingerprint import derive_seed
from synth.messages import Json
from synth.models.caller import Caller
from synth.models.progress import Report, Warned, ignore
from synth.prompts import shipped_template
from synth.recipe.models import SamplingSpec
from synth.recipe.schema import Recipe
from synth.shipped import shipped

Persona = Mapping[str, Any]
"""At least `id` and `description`; the shipped ones also have age, occupation, region, traits, goal and speech."""

_EXAMPLES = 3
_SHOWN = ("description", "age", "occupation", "region", "traits", "goal", "speech")
_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "description": {"type": "string", "minLength": 20},
        "age": {"type": "integer", "minimum": 5, "maximum": 105},
        "occupation": {"type": "string", "minLength": 2},
        "region": {"type": "string", "minLength": 2},
        "traits": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 4},
        "goal": {"type": "string", "minLength": 3},
        "speech": {"type": "string", "minLength": 3},
    },
    "required": ["description", "occupation"],
    "additionalProperties": False,
}


def shipped_personas() -> tuple[Persona, ...]:
    """The personas that come with synth."""
    return load_personas(shipped("personas") / "personas.jsonl")


def load_personas(path: Path) -> tuple[Persona, ...]:
    """Read personas, one JSON object a line; one without an ``id`` is called by its line.

    Raises ``RecipeError`` with every line that is none.
    """
    try:
        lines = path.read_bytes().removeprefix(BOM_UTF8).splitlines()
    except OSError as error:
        raise RecipeError([Problem(str(path), 0, 0, f"cannot be read: {error.strerror}")]) from error
    personas: list[Persona] = []
    problems: list[Problem] = []
    lines_of: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            persona = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            problems.append(Problem(str(path), number, error.colno, f"broken JSON: {error.msg}"))
            continue
        described = isinstance(persona, dict) and isinstance(persona.get("description"), str)
        if not described or not persona["description"].strip():
            problems.append(Problem(str(path), number, 1, 'a persona is an object with a "description" in words'))
            continue
        persona = {"id": f"p{number}", **persona}
        if (first := lines_of.setdefault(str(persona["id"]), number)) != number:
            problems.append(Problem(str(path), number, 1, f"the id {persona['id']!r} is that of line {first} too"))
        personas.append(persona)
    if not personas and not problems:
        problems.append(Problem(str(path), 0, 0, "there is no persona in this file"))
    if problems:
        raise RecipeError(problems)
    return tuple(personas)


class PersonaWriter:
    """Writes a recipe's personas once, for all its generators. Its calls are journaled as those of ``personas``."""

    def __init__(self, recipe: Recipe, count: int, report: Report = ignore) -> None:
        self._count = count
        self._report = report
        self._seed = derive_seed(recipe.seed, "personas")
        model = recipe.default_model
        sampling = resolve_sampling(SamplingSpec(temperature=1.0, max_tokens=300), recipe.models[model].sampling)
        self._agent = Agent("personas", model, shipped_template("personas/writer"), sampling, _SCHEMA)
        self._writing: asyncio.Task[tuple[Persona, ...]] | None = None

    async def personas(self, caller: Caller) -> tuple[Persona, ...]:
        """The personas, in an order that does not depend on when each was written; unusable ones are left out.

        Raises ``RunError`` where none is usable, and ``BudgetSpent``.
        """
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(caller))
        return await self._writing

    async def _write_all(self, caller: Caller) -> tuple[Persona, ...]:
        examples = shipped_personas()
        found = await asyncio.gather(*(self._write(number, examples, caller) for number in range(self._count)))
        personas = {persona["description"]: persona for persona in found if persona is not None}
        if not personas:
            raise RunError(
                "the first model wrote no usable persona", hint="give personas.path, or leave out personas.generate"
            )
        if len(personas) < self._count:
            told = f"{len(personas)} of {self._count} personas were written: the rest repeats these or cannot be used"
            self._report(Warned(told))
        return tuple(personas.values())

    async def _write(self, number: int, examples: Sequence[Persona], caller: Caller) -> Persona | None:
        unit = WorkUnit("personas", "personas", number, number, None, {}, derive_seed(self._seed, number))
        context = UnitContext(unit, caller)
        shown = [{name: one[name] for name in _SHOWN} for one in context.rng.sample(examples, _EXAMPLES)]
        try:
            answer = await self._agent.ask(context, {"examples": shown})
        except Rejected:
            return None
        return {"id": f"p{number + 1}", **answer.value}
