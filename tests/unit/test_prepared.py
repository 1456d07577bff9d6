"""What steers a generator's units is what its prompts ask for; what nothing asks for is refused."""

from pathlib import Path

import pytest

from synth.errors import RecipeError
from synth.example import WorkUnit
from synth.prepared import prepare
from synth.recipe.load import load_recipe

HEAD = """\
name: t
models: {m: {provider: scripted}}
seeds: {path: seeds.jsonl}
"""
STEERED = """\
axes: {mood: [calm, angry]}
personas: {}
long_tail: {typos: 1, emoji: 1}
"""


def units(folder: Path, generators: str, head: str = HEAD + STEERED) -> list[WorkUnit]:
    """The first unit of every generator."""
    (folder / "seeds.jsonl").write_text('{"question": "How many?", "answer": "2"}\n')
    (folder / "r.yaml").write_text(f"{head}generate: [{generators}]\n")
    return [plan.unit(0) for _, plan, _ in prepare(load_recipe(folder / "r.yaml")).generators]


@pytest.mark.parametrize(
    ("generator", "prompt", "steered_by"),
    [
        ("{kind: cot, count: 1}", "", "typos"),
        ("{kind: answer, count: 1}", "", "typos"),
        ("{kind: backward, count: 1}", "", "typos"),
        ("{kind: persona, count: 1}", "", "persona typos"),
        ("{kind: persona, count: 1, personas: [a nurse]}", "", "typos"),
        ("{kind: question, count: 1}", "", "mood persona typos emoji"),
        (
            "{kind: cot, count: 1, prompts: {solver: own.j2}}",
            "{{ question }} {{ guidance }}",
            "mood persona typos emoji",
        ),
        ("{kind: cot, count: 1, prompts: {solver: own.j2}}", "{{ question }} {{ attributes.mood }}", "mood typos"),
        ("{kind: rephrase, count: 1, prompts: {rephraser: own.j2}}", "{{ seed.question }}", "typos"),
    ],
)
def test_a_unit_is_steered_by_no_more_than_prompts_ask_for(
    generator: str, prompt: str, steered_by: str, tmp_path: Path
) -> None:
    (tmp_path / "own.j2").write_text(prompt)
    unit, other = units(tmp_path, f"{generator}, {{kind: evolve, count: 1}}")
    assert [*unit.attributes, *["persona"] * (unit.persona is not None), *unit.long_tail] == steered_by.split()
    assert (len(other.attributes), other.persona is None, other.long_tail) == (1, False, ("typos", "emoji"))


def test_the_users_own_steps_are_given_everything(tmp_path: Path) -> None:
    steps = "steps: [{as: a, prompt: hi}], output: {messages: [{role: user, content: '{{ a }}'}]}"
    (unit,) = units(tmp_path, f"{{kind: custom, count: 1, {steps}}}")
    assert unit.attributes
    assert unit.persona


def test_what_no_generator_asks_for_is_refused_where_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        units(tmp_path, "{kind: cot, count: 1}, {kind: persona, count: 1}")
    found = [(one.line, one.column, one.message) for one in caught.value.problems]
    told = "would change nothing: no prompt of cot, persona asks for it"
    assert found == [(4, 1, f"'axes' {told}"), (6, 23, f"'long_tail.emoji' {told}")]
    assert "{{ guidance }}" in caught.value.problems[0].hint
    assert units(tmp_path, "{kind: cot, count: 1}", HEAD + "long_tail: {typos: 1}\n")[0].long_tail == ("typos",)
