"""How often a small model gives a valid JSON object: asked in words, and with its JSON Schema enforced.

    python -m benchmarks.structured --work /tmp/structured [--models qwen2.5-coder-0.5b qwen2.5-coder-1.5b]

Three schemas of rising difficulty, ``--objects`` objects of each. Counted are the objects that were valid at the first
try and those that were after at most two repairs (the model is told what is wrong). Every answer is journaled in the
work folder, so a run that was stopped goes on where it ended.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Literal

from benchmarks.common import show
from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import WorkUnit
from synth.fingerprint import derive_seed
from synth.generators.base import Setup
from synth.messages import Json
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.prompts import compile_template
from synth.recipe.kinds.custom import PluginSpec
from synth.recipe.models import ModelSpec, SamplingSpec
from synth.store import Store

WAYS: tuple[Literal["prompt", "json_schema"], ...] = ("prompt", "json_schema")
MODELS = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
PLACES = ("a bakery", "a railway", "a hospital", "a farm", "a museum", "a shipyard", "a school", "a garage")


def record(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


TEXT: Json = {"type": "string", "minLength": 1, "maxLength": 60}
SCHEMAS: dict[str, tuple[str, Json]] = {
    "flat": (
        "Invent a person who works at {{ place }}: name, age in years, home town.",
        record(name=TEXT, age={"type": "integer", "minimum": 16, "maximum": 99}, town=TEXT),
    ),
    "choices and a list": (
        "Invent a product that {{ place }} might buy: title, price in euros, category (tool, food or service), two to "
        "four tags, and whether it is in stock.",
        record(
            title=TEXT,
            price={"type": "number", "exclusiveMinimum": 0, "maximum": 100000},
            category={"enum": ["tool", "food", "service"]},
            tags={"type": "array", "items": TEXT, "minItems": 2, "maxItems": 4},
            in_stock={"type": "boolean"},
        ),
    ),
    "nested, with patterns": (
        "Invent an order that {{ place }} has placed: id (two capital letters, a hyphen and four digits), the customer "
        "with name and email, one to three lines with sku (three capital letters and two digits), quantity and price, "
        "the status (open, paid or shipped), and a note or null.",
        record(
            id={"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
            customer=record(
                name=TEXT, email={"type": "string", "pattern": "^[a-z0-9.]{1,30}@[a-z0-9]{1,20}[.][a-z]{2,3}$"}
            ),
            lines={
                "type": "array",
                "minItems": 1,
                "maxItems": 3,
                "items": record(
                    sku={"type": "string", "pattern": "^[A-Z]{3}[0-9]{2}$"},
                    quantity={"type": "integer", "minimum": 1, "maximum": 1000},
                    price={"type": "number", "minimum": 0, "maximum": 100000},
                ),
            },
            status={"enum": ["open", "paid", "shipped"]},
            note={"type": ["string", "null"], "maxLength": 80},
        ),
    ),
}


async def measure(model: str, way: Literal["prompt", "json_schema"], objects: int, work: Path) -> list[list[str]]:
    folder = work / f"{Path(model).stem}-{way}"
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(folder / "run.sqlite")
    store.prepare_resume()
    spec = ModelSpec(provider="embedded", model=model, structured=way, context_length=2048)
    setup = Setup(PluginSpec(kind="bench:Bench", count=1), {"m": spec}, Path())
    started = time.monotonic()
    try:
        async with open_models({"m": spec}, base=Path(), run_dir=folder) as models:
            caller = JournaledCaller(models, store)

            async def make(name: str, index: int) -> str:
                prompt, schema = SCHEMAS[name]
                sampling = SamplingSpec(temperature=0.8, max_tokens=300)
                agent = setup.agent_from(
                    None, "maker", compile_template(prompt, name), sampling=sampling, schema=schema
                )
                unit = WorkUnit(name, "bench", index, 0, None, {}, derive_seed(name, index))
                try:
                    answer = await agent.ask(UnitContext(unit, caller), {"place": PLACES[index % len(PLACES)]})
                except Rejected as rejected:
                    return rejected.gate
                return "repaired" if ".r" in answer.call else "first"

            rows = []
            for name in SCHEMAS:
                found = Counter(await asyncio.gather(*(make(name, index) for index in range(objects))))
                first, repaired = found.pop("first", 0), found.pop("repaired", 0)
                lost = ", ".join(f"{gate} {count}" for gate, count in found.most_common()) or "none"
                shares = (f"{100 * first / objects:.0f} %", f"{100 * (first + repaired) / objects:.0f} %")
                rows.append([f"{model}, {way}, {name}", *shares, lost])
            print(f"{model}, {way}: {time.monotonic() - started:.0f} s", flush=True)
            return rows
    finally:
        await store.flush()
        store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="a folder for the journals")
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--objects", type=int, default=20, help="of each schema")
    given = parser.parse_args()
    rows = [
        row
        for model in given.models
        for way in WAYS
        for row in asyncio.run(measure(model, way, given.objects, given.work))
    ]
    header = ["model, way, schema", "valid at once", "after repair", "never"]
    show(f"valid JSON objects of {given.objects}", header, rows)


if __name__ == "__main__":
    main()
