"""Every mistake in a recipe is named where it stands, all at once."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from synth.errors import RecipeError, UsageError
from synth.recipe.load import load_recipe
from tests.unit.recipe.helpers import load, problems

GOOD = """\
name: x
models:
  m: {provider: scripted}
seeds: {path: s.jsonl}
generate:
  - kind: rephrase
    count: 5
  - id: maths
    kind: cot
    count: 7
"""


def test_a_good_recipe_loads_with_ids_filled_in() -> None:
    loaded = load(GOOD)
    assert [(one.id, one.kind, one.count) for one in loaded.recipe.generate] == [
        ("rephrase", "rephrase", 5),
        ("maths", "cot", 7),
    ]
    assert loaded.base == Path()


def test_all_problems_come_at_once_in_the_order_of_their_position() -> None:
    text = """\
name: x
models:
  m: {provider: opnai, model: 5, sampling: {temprature: 1}}
seeds: {path: s.jsonl}
generate:
  - kind: rephase
  - kind: cot
    count: 0
    agents: {solver: 3}
  - cuont: 5
    kind: rephrase
budget:
"""
    assert problems(text) == [
        "r.yaml:3:17: 'provider' must be 'embedded', 'openai', 'vllm', 'transformers' or 'scripted', got 'opnai'"
        " (did you mean 'openai'?)",
        "r.yaml:3:31: 'model' must be text, got 5 (put it in quotes)",
        "r.yaml:3:45: unknown key 'temprature' in models.m.sampling (did you mean 'temperature'?)",
        "r.yaml:6:11: unknown kind 'rephase' (did you mean 'rephrase'?)",
        "r.yaml:8:12: 'count' must be at least 1, got 0",
        "r.yaml:9:22: 'solver' must be the name of a model, or {model: name, sampling: {…}}, got 3",
        "r.yaml:10:5: unknown key 'cuont' in generate.2 (did you mean 'count'?)",
        "r.yaml:12:8: 'budget' must be a mapping (key: value), got nothing (remove the line to have the default)",
    ]


def test_overrides_name_generators_by_index_or_id() -> None:
    loaded = load(GOOD, "generate.0.count=3", "generate.maths.ensemble.samples=9", "seed=4")
    assert [one.count for one in loaded.recipe.generate] == [3, 7]
    assert loaded.recipe.generate[1].model_dump()["ensemble"]["samples"] == 9
    assert loaded.recipe.seed == 4
    assert [one.count for one in load(GOOD, count=2).recipe.generate] == [2, 2]


def test_a_bad_override_is_named_by_its_own_words() -> None:
    assert problems(GOOD, "generate.0.count=x") == ["--set generate.0.count=x: 'count' must be a whole number, got 'x'"]
    assert problems(GOOD, count=0)[0] == "--count 0: 'count' must be at least 1, got 0"
    with pytest.raises(UsageError) as caught:
        load(GOOD, "generate.math.count=3")
    assert (caught.value.message, caught.value.hint) == (
        "--set generate.math.count=3: 'generate' has no 'math'",
        "did you mean 'maths'?",
    )


def test_the_environment_is_read_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sk-11")
    text = GOOD.replace("{provider: scripted}", "{provider: openai, model: '${NOPE:-m}', api_key: '${KEY}'}")
    loaded = load(text)
    model = loaded.recipe.models["m"]
    assert (model.model, model.api_key) == ("m", "sk-11")
    assert loaded.secrets == ("sk-11",)
    assert loaded.references == {("models", "m", "api_key"): "${KEY}", ("models", "m", "model"): "${NOPE:-m}"}
    assert problems(text.replace("KEY", "NOPE"))[0].startswith(
        "r.yaml:3:55: the environment variable NOPE is not set (set it,"
    )


def test_a_value_from_the_environment_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sk-11")
    assert problems(GOOD.replace("count: 5", 'count: "${KEY}"')) == [
        "r.yaml:7:12: 'count' must be a whole number (it was given as ${KEY})"
    ]


def test_a_bad_name_is_named() -> None:
    words = "must be a name: letters, digits, '_', '.' and '-', the first a letter or digit"
    assert problems(GOOD.replace("  m: {", "  <m>: {")) == [f"r.yaml:3:3: '<m>' {words}"]


def test_the_default_stands_in_for_an_empty_variable_and_a_doubled_dollar_for_a_literal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EMPTY", "")
    text = GOOD.replace("{provider: scripted}", "{provider: scripted, model: '${EMPTY:-m} $${HOME} ${x'}")
    assert load(text).recipe.models["m"].model == "m ${HOME} ${x"
    assert load(GOOD.replace("count: 5", 'count: "${EMPTY:-9}"')).recipe.generate[0].count == 9


def test_a_variable_that_is_no_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "ODD", os.fsdecode(b"\xff"))
    assert problems(GOOD.replace("name: x", "name: ${ODD}")) == [
        "r.yaml:1:7: the environment variable ODD is not UTF-8 text"
    ]


def test_openai_without_an_address_takes_the_usual_key(monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace("{provider: scripted}", "{provider: openai, model: m}")
    hint = "set OPENAI_API_KEY, give an api_key: ${VAR}, or a base_url where no key is needed"
    assert problems(text) == [f"r.yaml:3:6: the model 'm' at api.openai.com needs a key ({hint})"]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-22")
    loaded = load(text)
    assert (loaded.recipe.models["m"].api_key, loaded.secrets) == ("sk-22", ("sk-22",))


def test_secrets_are_keys_headers_and_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t-secret")
    model = "{provider: openai, model: m, base_url: 'http://me:p-secret@h/v1', "
    model += "api_key: literal-key, headers: {X: 'a ${TOKEN}'}}"
    assert load(GOOD.replace("{provider: scripted}", model)).secrets == (
        "a t-secret",
        "literal-key",
        "p-secret",
        "t-secret",
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "r.yaml: the file is empty (synth init DIR writes a recipe to begin with)"),
        (b"# nothing\n---\n", "r.yaml: the file is empty (synth init DIR writes a recipe to begin with)"),
        (b"\x89PNG\0\0", "r.yaml: this is a binary file, not a recipe in YAML"),
        (b"name: x\nb: caf\xe9\n", "r.yaml:2:7: the byte 0xE9 is not UTF-8 text (save the file as UTF-8)"),
        (
            b"name: x\n" * 1_400_000,
            "r.yaml: a recipe has at most 1 MiB, this file has more"
            " (is it a data file? seeds belong in a file of their own)",
        ),
        (b"- a\n- b\n", "r.yaml:1:1: the file must be a mapping (key: value), and this is a list"),
        (b"just text\n", "r.yaml:1:1: the file must be a mapping (key: value), and this is a single value"),
        (b"null\n", "r.yaml: the file is empty (synth init DIR writes a recipe to begin with)"),
    ],
    ids=["empty", "comment", "binary", "latin-1", "10 MB", "list", "text", "null"],
)
def test_a_file_that_is_no_recipe_is_one_message(content: bytes, expected: str) -> None:
    assert problems(content) == [expected]


def test_a_missing_recipe_and_a_folder() -> None:
    load(GOOD)
    for path, expected, hint in [
        ("ar.yaml", "ar.yaml: there is no such recipe", "did you mean 'r.yaml'?"),
        ("no/r.yaml", "no/r.yaml: there is no such recipe", "there is no folder 'no' either"),
        (".", ".: this is a folder, not a recipe", "it holds r.yaml"),
    ]:
        with pytest.raises(RecipeError) as caught:
            load_recipe(Path(path))
        assert (str(caught.value), caught.value.problems[0].hint) == (expected, hint)


@pytest.mark.parametrize(
    ("override", "message", "hint"),
    [
        ("count", "--set count: no 'path=value'", "for example --set generate.0.count=5"),
        ("name.x=1", "--set name.x=1: 'name' holds a single value, so it has no 'x'", ""),
        ("generate.2.count=1", "--set generate.2.count=1: 'generate' has no '2'", "it has: 0, 1, rephrase, maths"),
        (
            "name=[",
            "--set name=[: the value is not YAML: a value is missing here, or an earlier '[' or '{' is not closed",
            "quote it as in the recipe",
        ),
    ],
)
def test_an_override_that_names_nothing_is_a_usage_error(override: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(GOOD, override)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_an_override_can_add_a_section_and_a_wrong_key_is_found_later() -> None:
    assert problems(GOOD, "budgt.usd=2") == ["--set budgt.usd=2: unknown key 'budgt' (did you mean 'budget'?)"]
    assert load(GOOD, "budget.usd=2.5", "axes.mood=[calm, angry]").recipe.budget.usd == 2.5
    assert problems(GOOD, "generate.maths.cuont=2") == [
        "--set generate.maths.cuont=2: unknown key 'cuont' in generate.1 (did you mean 'count'?)"
    ]


YAML = st.recursive(
    st.sampled_from(
        ["a", "0", "-1", "1.5", "true", "null", "${HOME}", "'{{ x }}'", "off", "*a", "&a b", "cot", "custom"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(
            st.tuples(
                st.sampled_from(
                    ["name", "models", "generate", "kind", "count", "steps", "as", "prompt", "<<", "m", "agents"]
                ),
                inner,
            ),
            max_size=4,
        ).map(lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"),
    ),
    max_leaves=12,
)


FULL = """\
name: x
seed: 3
models:
  m: {provider: scripted, sampling: {stop: [a], extra_body: {k: 1}}, price: {input: 1, output: 2}}
  n: {provider: openai, model: n, base_url: http://h/v1, api_key: k, headers: {h: v}, env: {}}
seeds: {path: s.jsonl, fields: {question: q}, limit: 3}
generate:
  - kind: cot
    count: 5
    agents: {solver: {model: m, sampling: {top_p: 1}}}
    prompts: {solver: a.j2}
    ensemble: {samples: 3}
  - id: raw
    kind: custom
    count: 7
    steps:
      - as: a
        agent: m
        prompt: "{{ seed.question }}"
        schema: {type: object, properties: {a: {type: string}}}
    accept: "{{ a }}"
    output: {messages: [{role: user, content: hi}], text: "{{ a }}"}
axes: {mood: [calm, 1]}
diversity: {max_overlap: 0.5}
gates: [format, {gate: length, max_words: 9}, {gate: "m:G", options: {}}]
budget: {usd: 1, minutes: 2}
cache: true
output: {formats: [messages]}
"""
PLACES = [match.start() for match in re.finditer(r"(?<=[:\[,] )\S", FULL)]


def replace_at(place: int, value: str) -> str:
    """``FULL`` with another value at one place: what a slip of the hand does."""
    end = re.compile(r"[,\]}\n]").search(FULL, place)
    assert end
    return FULL[:place] + value + FULL[end.start() :]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        YAML,
        st.text(),
        st.text(alphabet="ab:-[]{}&*<>|!%'\"#\n\t ${}"),
        st.builds(replace_at, st.sampled_from(PLACES), YAML),
    )
)
@example("models: {m: {provider: []}}")
def test_any_text_is_a_recipe_or_a_recipe_error(text: str) -> None:
    try:
        loaded = load(text.encode("utf-8", "surrogatepass"))
    except RecipeError as error:
        found = [str(problem) for problem in error.problems]
    else:
        found = [generator.id for generator in loaded.recipe.generate]
    assert found
    assert all(found)
