"""Checks a ``custom`` ensemble: what its steps are called, what each may see, and what they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from synth.messages import Json
from synth.recipe.check_python import check_python
from synth.recipe.check_schema import check_schema
from synth.recipe.check_templates import Visible, check_template
from synth.recipe.kinds.custom import CustomSpec
from synth.recipe.plain import listing, mapping
from synth.recipe.problems import Problems
from synth.recipe.step_order import NotApart, first_of_answer, most_takes
from synth.recipe.yaml import KeyPath

ALWAYS_VISIBLE = ("seed", "attributes", "persona", "guidance", "avoid", "unit")
"""What every template sees besides the steps before it."""


def check_steps(at: KeyPath, generator: Json, data: Json, base: Path, problems: Problems) -> None:
    """Add a problem for every step name, template, schema or agent that cannot be used."""
    own = replace(problems, found=[])
    _check_each(at, generator, data, base, own)
    if not own.found:
        _check_order(at, generator, base, own)
    for found in own.found:
        problems.add(found)


def _check_each(at: KeyPath, generator: Json, data: Json, base: Path, problems: Problems) -> None:
    steps = [mapping(step) for step in listing(generator.get("steps"))]
    names = [str(step.get("as")) for step in steps]
    keys = {"attributes": tuple(mapping(data.get("axes")))} | _keys(steps)
    has_seeds = data.get("seeds") is not None or generator.get("seeds_from") is not None
    for index, step in enumerate(steps):
        place: KeyPath = (*at, "steps", index)
        later = dict.fromkeys(names[index + 1 :], "a later step makes it") | {names[index]: "this very step makes it"}
        looped = _looped(steps, names, index)
        out_of_reach = {name: why for name, why in later.items() if name not in looped}
        visible = Visible((*ALWAYS_VISIBLE, *_named(names[:index]), *looped), keys, out_of_reach, has_seeds)
        for field in ("system", "prompt", "when"):
            if isinstance(step.get(field), str):
                check_template((*place, field), step[field], visible, base, problems)
        if isinstance(step.get("until"), str):
            made = Visible((*ALWAYS_VISIBLE, *_named(names[: index + 1]), *looped), keys, out_of_reach, has_seeds)
            check_template((*place, "until"), step["until"], made, base, problems)
        again = step.get("again_from")
        if isinstance(again, str) and again not in names[: index + 1]:
            what = "is a later step" if again in names else "is no step"
            problems.at((*place, "again_from"), f"{again!r} {what}: go back to this step or an earlier one")
        if isinstance(step.get("schema"), dict):
            check_schema((*place, "schema"), step["schema"], problems)
        if isinstance(step.get("check"), str):
            check_python((*place, "check"), step["check"], out_of_reach, problems)
        _check_idle(place, step, problems)
        _check_name((*place, "as"), names, index, problems)
    visible = Visible((*ALWAYS_VISIBLE, *_named(names)), keys, {}, has_seeds)
    for path, text in _closing_templates(generator):
        check_template((*at, *path), text, visible, base, problems)


def _named(names: list[str]) -> list[str]:
    """Without those of steps that have none, which is reported where the recipe is read."""
    return [name for name in names if name != "None"]


def _keys(steps: list[Json]) -> dict[str, tuple[str, ...]]:
    """The properties of each step's result, where it is one object and its schema allows no others."""
    found = {}
    for step in steps:
        schema, one = mapping(step.get("schema")), step.get("samples", 1) == 1 or "vote" in step
        if one and schema.get("additionalProperties") is False and "patternProperties" not in schema:
            found[str(step.get("as"))] = tuple(mapping(schema.get("properties")))
    return found


def _check_order(at: KeyPath, generator: Json, base: Path, problems: Problems) -> None:
    """What can be told only of steps that are right one by one: what `preference` repeats, and who is never asked."""
    try:
        spec = CustomSpec.model_validate(generator)
        first = first_of_answer(spec, base) if spec.preference else len(spec.steps)
    except ValidationError:  # reported where the recipe is read
        return
    except NotApart as error:
        problems.at((*at, *error.at), error.message, error.hint)
        return
    for place, (step, takes) in enumerate(zip(spec.steps, most_takes(spec.steps), strict=True)):
        asked = step.samples * takes * (spec.prefer.responses if place >= first else 1)
        if isinstance(step.agent, list) and len(step.agent) > asked:
            problems.at(
                (*at, "steps", place, "agent", asked),
                f"this agent is never asked: the step asks {'once' if asked == 1 else f'{asked} times'} and no more",
                f"samples: {len(step.agent)} asks everyone once",
            )


def _check_idle(at: KeyPath, step: Json, problems: Problems) -> None:
    """What a step says and what could never matter."""
    if "vote" in step and step.get("samples", 1) == 1:
        problems.at_key((*at, "vote"), "'vote' has nothing to choose from", "ask more than once: samples: 3")
    if "again_from" in step and "until" not in step and "check" not in step:
        problems.at_key((*at, "again_from"), "'again_from' means nothing without 'until' or 'check'")


def _looped(steps: list[Json], names: list[str], index: int) -> list[str]:
    """The steps whose results the step at ``index`` sees from the round before, because it is in a loop with them."""
    found: set[str] = set()
    for end in range(index, len(steps)):
        again = steps[end].get("again_from", names[end])
        loops = "until" in steps[end] or "check" in steps[end]
        if loops and again in names[: end + 1] and names.index(again) <= index:
            found.update(names[names.index(again) : end + 1])
    return sorted(found)


def _check_name(at: KeyPath, names: list[str], index: int, problems: Problems) -> None:
    name = names[index]
    if name in ALWAYS_VISIBLE:
        problems.at(at, f"a step cannot be called {name!r}: templates know something else by it")
    elif name != "None" and names.index(name) < index:
        problems.at(at, f"two steps are called {name!r}: {at[0]}.{at[1]}.steps.{names.index(name)} is the other")


def _closing_templates(generator: Json) -> Iterator[tuple[KeyPath, str]]:
    output = mapping(generator.get("output"))
    found: list[tuple[KeyPath, Any]] = [
        (("accept",), generator.get("accept")),
        (("output", "text"), output.get("text")),
    ]
    for index, message in enumerate(listing(output.get("messages"))):
        found.append((("output", "messages", index, "content"), mapping(message).get("content")))
    yield from ((path, text) for path, text in found if isinstance(text, str))
