"""How often the steps of a custom ensemble may be taken, and which of them `preference` takes for every response."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.messages import Json
from synth.recipe.kinds.custom import CustomSpec
from synth.recipe.step_order import NotApart, first_of_answer, most_takes

PROMPT = {"role": "user", "content": "{{ ask }}"}
ANSWER = {"role": "assistant", "content": "{{ reply }}"}
ASK = {"as": "ask", "prompt": "ask"}
DRAFT = {"as": "draft", "prompt": "{{ ask }}"}
REPLY = {"as": "reply", "prompt": "{{ draft }}"}


def step(name: str, prompt: str = "go", again_from: str | None = None, **fields: Any) -> Json:
    loop = {"until": "no", "again_from": again_from} if again_from else {}
    return {"as": name, "prompt": prompt, **loop, **fields}


def custom(*steps: Json, messages: list[Json] | None = None) -> CustomSpec:
    output = {"messages": [PROMPT, ANSWER] if messages is None else messages}
    return CustomSpec.model_validate({"kind": "custom", "count": 1, "steps": list(steps), "output": output})


@pytest.mark.parametrize(
    ("steps", "first"),
    [
        ([ASK, step("reply", "{{ ask }}")], "reply"),
        ([ASK, DRAFT, REPLY], "draft"),
        ([ASK, DRAFT, step("reply", "go", system="{{ draft }}")], "draft"),
        ([ASK, DRAFT, step("reply", "go", when="{{ draft }}")], "draft"),
        ([ASK, step("standard"), step("reply", until="{{ standard in reply }}")], "reply"),
        ([step("facts"), ASK, step("reply", "{{ facts }}{{ ask }}")], "reply"),
        ([step("facts"), step("ask", "{{ facts }}"), step("reply", "{{ facts }}")], "reply"),
        ([ASK, step("hint"), step("reply", again_from="hint")], "hint"),
        ([ASK, step("hint"), step("reply"), step("verdict", again_from="hint")], "hint"),
        ([ASK, step("a"), step("b", again_from="a"), step("c", again_from="b"), step("reply", again_from="c")], "a"),
        ([ASK, step("fine", "{{ ask }}", again_from="ask"), step("reply", "{{ fine }}")], "reply"),
        ([step("ask", "{{ fine }}"), step("fine", "{{ ask }}", again_from="ask"), step("reply")], "reply"),
        ([step("ask"), step("draft", "{{ verdict }}"), step("verdict", again_from="draft"), REPLY], "draft"),
    ],
)
def test_what_is_taken_for_every_response(steps: list[Json], first: str) -> None:
    assert steps[first_of_answer(custom(*steps), Path())]["as"] == first


def test_a_prompt_that_is_made_by_no_step_shares_none() -> None:
    spec = custom(DRAFT, REPLY, messages=[{"role": "user", "content": "What?"}, ANSWER])
    assert first_of_answer(spec, Path()) == 0


def test_a_template_in_a_file_says_what_it_is_made_of(tmp_path: Path) -> None:
    (tmp_path / "reply.md.j2").write_text("{{ draft }}")
    assert first_of_answer(custom(ASK, DRAFT, step("reply", "reply.md.j2")), tmp_path) == 1


@pytest.mark.parametrize(
    ("steps", "messages", "at"),
    [
        ([ASK, REPLY], [PROMPT], ("output", "messages")),
        ([ASK, REPLY], [ANSWER], ("output", "messages")),
        ([ASK, REPLY], [ANSWER, PROMPT], ("output", "messages")),
        ([ASK], [PROMPT, PROMPT | {"role": "assistant"}], ("output", "messages", 1, "content")),
        ([step("reply"), ASK], [PROMPT, ANSWER], ("output", "messages", 1, "content")),
        ([step("reply"), step("ask", "{{ reply }}")], [PROMPT, ANSWER], ("output", "messages", 1, "content")),
        ([ASK, DRAFT, step("reply", again_from="ask")], [PROMPT, ANSWER], ("steps", 2, "again_from")),
        ([ASK, step("reply"), step("verdict", again_from="ask")], [PROMPT, ANSWER], ("steps", 2, "again_from")),
    ],
)
def test_where_prompt_and_answer_are_not_apart(steps: list[Json], messages: list[Json], at: tuple[Any, ...]) -> None:
    with pytest.raises(NotApart) as raised:
        first_of_answer(custom(*steps, messages=messages), Path())
    assert raised.value.at == at


@pytest.mark.parametrize(
    ("steps", "takes"),
    [
        ([step("a", rounds=5), step("b")], [1, 1]),
        ([step("a", again_from="a", rounds=5)], [5]),
        ([step("a"), step("b", again_from="a", rounds=3), step("c")], [3, 3, 1]),
        ([step("a", again_from="a", rounds=2), step("b", again_from="a", rounds=3)], [6, 3]),
        ([step("a"), step("b", again_from="a", rounds=2), step("c", again_from="b", rounds=4)], [5, 8, 4]),
    ],
)
def test_how_often_a_step_may_be_taken(steps: list[Json], takes: list[int]) -> None:
    assert most_takes([*custom(*steps, step("ask"), step("reply")).steps[: len(steps)]]) == takes
