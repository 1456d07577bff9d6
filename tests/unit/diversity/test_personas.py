from collections import Counter
from pathlib import Path

import pytest

from synth.agents.guidance import guidance
from synth.diversity.personas import PersonaWriter, load_personas, shipped_personas
from synth.errors import RecipeError
from synth.example import WorkUnit
from synth.messages import Message, StopReason, Usage
from synth.models.caller import CallRecord
from synth.models.client import Request, Response
from synth.models.progress import Warned
from synth.recipe.kinds.solved import CotSpec
from synth.recipe.models import ModelSpec
from synth.recipe.schema import Recipe


def test_the_shipped_personas_are_many_whole_and_different() -> None:
    personas = shipped_personas()
    fields = {"id", "age", "occupation", "region", "traits", "goal", "speech", "description"}
    assert len(personas) >= 500
    assert all(set(one) == fields and all(one.values()) for one in personas)
    for field, least in (("id", 500), ("description", 500), ("goal", 500), ("occupation", 120), ("region", 60)):
        assert len({one[field] for one in personas}) >= least
    for one in personas:
        assert 14 <= one["age"] <= 90
        assert one["description"].startswith(
            ("An 8", "An 18") if str(one["age"])[0] == "8" or one["age"] == 18 else "A "
        )
        assert len(set(one["traits"])) == 2
    assert Counter(one["occupation"] for one in personas).most_common(1)[0][1] == 4


def test_own_personas_are_read_and_bad_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"description": "A tired clerk."}\n\n{"id": "x", "description": "A cook.", "shift": "late"}\n')
    assert [one["id"] for one in load_personas(path)] == ["p1", "x"]
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert [one["id"] for one in load_personas(path)] == ["p1", "x"]
    path.write_text('{"description": ""}\n[1]\n{"description": "ok"}\n{broken\n')
    with pytest.raises(RecipeError) as caught:
        load_personas(path)
    assert [problem.line for problem in caught.value.problems] == [1, 2, 4]
    path.write_text('{"id": "x", "description": "a"}\n{"id": "x", "description": "b"}\n')
    with pytest.raises(RecipeError, match=r":2:1: the id 'x' is that of line 1 too"):
        load_personas(path)
    path.write_text("\n")
    with pytest.raises(RecipeError, match="no persona"):
        load_personas(path)
    with pytest.raises(RecipeError, match="cannot be read"):
        load_personas(tmp_path / "none.jsonl")


async def test_fewer_personas_than_asked_for_are_told_of() -> None:
    recipe = Recipe(name="t", models={"m": ModelSpec(provider="scripted")}, generate=[CotSpec(kind="cot", count=1)])
    told: list[object] = []

    class Repeats:
        async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
            said = '{"description": "A calm sailor from Hull.", "occupation": "sailor"}'
            response = Response(Message("assistant", said), Usage(), StopReason.STOP, model)
            return CallRecord(f"{unit}/{key}", unit, model, "", request, response, 0.0, 0.0, 1, "sent")

    assert len(await PersonaWriter(recipe, 5, told.append).personas(Repeats())) == 1
    assert told == [Warned("1 of 5 personas were written: the rest repeats these or cannot be used")]
    assert len(await PersonaWriter(recipe, 1, told.append).personas(Repeats())) == len(told) == 1


def test_guidance_says_all_that_steers_a_unit() -> None:
    persona = {"id": "p1", "description": "A tired clerk from Cork."}
    unit = WorkUnit("g", "k", 0, 0, None, {"mood": "calm", "age": 3}, 1, persona, ("typos", "emoji"), ("be" * 500,))
    said = guidance(unit)
    assert "Who writes: A tired clerk from Cork." in said
    assert "mood = calm, age = 3." in said
    assert "emoji" in said
    assert "typos" not in said
    assert "…" in said
    assert guidance(WorkUnit("g", "k", 0, 0, None, {}, 1, None, ("typos",))) == ""
