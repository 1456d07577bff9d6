"""Seeds are checked against what the recipe's generators and templates do with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import RecipeError
from synth.recipe.load import load_recipe
from synth.recipe.load_seeds import load_seeds
from synth.shipped import shipped
from tests.unit.recipe.helpers import load

RECIPE = """\
name: x
models: {m: {provider: scripted}}
seeds: {path: t.jsonl}
generate:
  - {kind: cot, count: 1}
  - {kind: rephrase, count: 1}
  - kind: custom
    count: 1
    steps:
      - {as: a, prompt: "{{ seed.question }} {{ seed.topic }} {{ seed['level'] }} {{ seed.get('x') }}"}
      - {as: b, prompt: "{% if seed.y is defined %}{{ seed.y }}{% endif %}{{ seed.z | default('') }}"}
    output: {messages: [{role: user, content: out.j2}]}
"""


def test_every_generator_finds_its_fields() -> None:
    Path("out.j2").write_text("{{ seed.end }}")
    Path("t.jsonl").write_text(
        '{"question": "?", "level": null, "topic": 1}\n{"question": null, "answer": "", "topc": 1}\n'
    )
    with pytest.raises(RecipeError) as caught:
        load_seeds(load(RECIPE))
    assert [str(found) for found in caught.value.problems] == [
        "out.j2:1:9: the template uses seed.end, and no seed has it",
        "t.jsonl:1:1: the field 'answer' is missing, needed by generate.1 (rephrase)",
        "t.jsonl:2:1: the field 'question' is null, needed by generate.0 (cot) and generate.1 (rephrase)",
        "t.jsonl:2:1: the field 'answer' is empty, needed by generate.1 (rephrase)",
        "t.jsonl:2:1: the field 'level' is missing, needed by generate.2 (custom)",
        "t.jsonl:2:1: the field 'topic' is missing, needed by generate.2 (custom)",
    ]


def test_what_lacks_is_said_with_what_is_broken() -> None:
    Path("out.j2").write_text("")
    lines = ['{"q": "?", "answer": 1}', '{"q": null, "answer": 1}', '{"q": "?"}', "{", '{"answer": 1}', "[]"]
    Path("t.jsonl").write_text("\n".join(lines))
    text = RECIPE[: RECIPE.index("  - kind: custom")]
    with pytest.raises(RecipeError) as caught:
        load_seeds(
            load(text.replace("- {kind: cot, count: 1}\n", "").replace("t.jsonl", "t.jsonl, fields: {question: q}"))
        )
    assert [str(found) for found in caught.value.problems] == [
        "t.jsonl:2:1: the field 'question' is null, needed by generate.0 (rephrase)",
        "t.jsonl:3:1: the field 'answer' is missing, needed by generate.0 (rephrase)",
        "t.jsonl:4:2: broken JSON: unexpected end of data",
        "t.jsonl:5:1: this row has no 'q', which seeds.fields.question names",
        "t.jsonl:6:1: a seed is a JSON object, and this is a list",
    ]
    Path("t.jsonl").write_text("\n".join(lines).replace('"q"', '"question"'))
    with pytest.raises(RecipeError) as caught:
        load_seeds(load(text))
    assert [found.line for found in caught.value.problems] == [2, 3, 4, 5, 6]
    Path("t.jsonl").write_text("{\n")
    with pytest.raises(RecipeError) as caught:
        load_seeds(load(RECIPE))
    assert [found.line for found in caught.value.problems] == [1]


def test_a_misspelt_field_is_named_where_the_template_has_it() -> None:
    Path("t.jsonl").write_text('{"question": "?", "level": 1, "topik": 1}\n')
    Path("out.j2").write_text("{{ seed.topik }}")
    with pytest.raises(RecipeError) as caught:
        load_seeds(load(RECIPE.replace("  - {kind: rephrase, count: 1}\n", "")))
    (found,) = caught.value.problems
    assert (str(found), found.hint) == (
        "r.yaml:9:54: the template uses seed.topic, and no seed has it",
        "did you mean seed.topik? or rename a column: seeds: {fields: {topic: its name}}",
    )


def test_cross_contrast_needs_a_label_in_every_seed() -> None:
    Path("t.jsonl").write_text('{"question": "a?", "topic": "x"}\n{"question": "b?"}\n')
    decode = "decode: {method: corrsynth, contrast: cross, label: topic}"
    text = (
        "name: x\nmodels: {m: {provider: transformers, model: m}}\nseeds: {path: t.jsonl}\n"
        f"generate: [{{kind: cot, count: 1, {decode}}}]\n"
    )
    with pytest.raises(RecipeError, match=r"the field .topic. is missing, needed by generate\.0"):
        load_seeds(load(text))
    with pytest.raises(RecipeError, match=r"the field .topic. is missing"):
        load_seeds(load(text.replace("contrast: cross", "contrast: hybrid")))
    assert len(load_seeds(load(text.replace("contrast: cross, label: topic", "contrast: hybrid")))) == 2
    assert len(load_seeds(load(text + "axes: {topic: [x, y]}\n"))) == 2


SMALL = "name: x\nmodels: {m: {provider: scripted}}\nseeds: {path: t.jsonl}\ngenerate:\n"


@pytest.mark.parametrize(
    ("kind", "seeds", "expected"),
    [
        ("answer", ['{"question": "a?", "answer": "  "}'],
         "the field 'answer' is empty, needed by generate.0 (answer)"),
        ("classify", ['{"text": "a", "label": "x"}', '{"text": "b", "label": "x "}'],
         "every seed has the label 'x': a judge could only agree"),
        ("classify", ['{"text": "a", "label": ["x", "y"]}', '{"text": "b", "label": 1}'],
         "the field 'label' must be text or a number"),
    ],
)  # fmt: skip
def test_fields_that_say_nothing_a_kind_could_use(kind: str, seeds: list[str], expected: str) -> None:
    Path("t.jsonl").write_text("".join(f"{seed}\n" for seed in seeds))
    with pytest.raises(RecipeError) as caught:
        load_seeds(load(f"{SMALL}  - {{kind: {kind}, count: 1}}\n"))
    assert [str(found) for found in caught.value.problems] == [f"t.jsonl:1:1: {expected}"]


def test_persona_needs_somebody() -> None:
    Path("t.jsonl").write_text('{"question": "a?", "answer": "1"}\n')
    kind = "  - {kind: persona, count: 1}\n"
    with pytest.raises(RecipeError, match=r"no seed has the field .persona., needed by generate\.0 \(persona\)"):
        load_seeds(load(SMALL + kind))
    assert load_seeds(load(SMALL + kind.replace("}", ", personas: [a nurse]}")))
    assert load_seeds(load(SMALL + kind + "personas: {}\n"))


def test_a_recipe_without_seeds_has_none() -> None:
    text = RECIPE.split("seeds:")[0] + "generate:\n  - {kind: 'a:B', count: 1}\n"
    assert load_seeds(load(text)) == ()


@pytest.mark.parametrize("recipe", sorted(shipped("recipes").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_recipe_is_right(recipe: Path) -> None:
    loaded = load_recipe(recipe)
    assert load_seeds(loaded) or loaded.recipe.seeds is None
