"""Accepted examples as seeds of a later generator: which, in what order, how deep, and after a resume."""

from pathlib import Path

import orjson
import pytest

from synth.errors import RecipeError, RunError, UsageError
from synth.export.split import group_of
from synth.generations import seeds_from_rows
from synth.job import RunResult, run
from synth.messages import Json
from synth.recipe.load import load_recipe

RECIPE = """\
name: t
seed: 3
models: {m: {provider: scripted, concurrency: PLACES}}
seeds: {path: s.jsonl}
generate:
  - {id: first, kind: custom, count: 4, steps: [{as: a, prompt: "1 of {{ seed.question }}"}], output: &out {messages:
      [{role: user, content: "{{ a }}"}, {role: assistant, content: "yes to {{ a }}"}]}}
  - {id: second, kind: custom, count: 6, seeds_from: first, output: *out,
      steps: [{as: a, prompt: "2 of {{ seed.question }} {{ unit.index }}"}], accept: "{{ unit.index != 2 }}"}
  - {id: third, kind: custom, count: 2, seeds_from: second, output: *out,
      steps: [{as: a, prompt: "3 of {{ seed.question }}; {{ seed.answer }}"}]}
diversity: "off"
budget: {attempts: 4}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text("".join(f'{{"id": "s{n}", "question": "question {n}"}}\n' for n in range(3)))
    return tmp_path


def make(run_dir: str, *overrides: str, places: int = 8, text: str = RECIPE) -> RunResult:
    Path("r.yaml").write_text(text.replace("PLACES", str(places)))
    return run(load_recipe("r.yaml", overrides=overrides), run_dir=run_dir)


def dataset(result: RunResult) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted((result.run_dir / "dataset").glob("*.jsonl"))}


def test_each_generation_takes_its_seeds_from_the_one_before() -> None:
    result = make("here")
    assert result.ending.status == "complete"
    by_id = {row["id"]: row for row in result.rows()}
    for row in result.rows("second"):
        source = by_id[row["seed_id"]]
        assert source["generator"] == "first"
        assert row["messages"][0]["content"].startswith(f"2 of {source['messages'][0]['content']}")
        assert row["lineage"]["generation"] == 2
    for row in result.rows("third"):
        chain = row["lineage"]["ancestors"]
        assert [by_id[name]["generator"] for name in chain[1:]] == ["first", "second"]
        assert chain[0] in {"s0", "s1", "s2"}
        assert row["lineage"]["seeds"] == chain
        assert row["lineage"]["generation"] == 3
        assert group_of(row) == f"seed {chain[0]}"
    assert {row["lineage"]["generation"] for row in result.rows("first")} == {1}


def test_the_dataset_is_the_same_at_any_concurrency_and_after_a_stop() -> None:
    made = make("whole")
    assert made.ending.status == "complete"
    whole = dataset(made)
    assert dataset(make("alone", places=1)) == whole
    statuses = [make("halting", f"budget.tokens={tokens}").ending.status for tokens in (60, 260)]
    assert "short" in statuses
    assert dataset(make("halting")) == whole


def test_a_generation_waits_for_a_whole_one() -> None:
    result = make("short", "generate.first.accept='{{ unit.index < 2 }}'")
    assert result.ending.status == "short"
    assert "'second' has 0 of 6 after 0 attempts (its seeds are those of 'first')" in result.ending.message
    assert result.summary["generators"]["second"]["attempts"] == 0


def test_the_count_of_a_source_cannot_change_under_its_generation() -> None:
    make("here")
    with pytest.raises(UsageError, match=r"generate\.0\.count: 4 -> 5 \(its examples are seeds"):
        make("here", "generate.first.count=5")
    assert make("here", "generate.third.count=3").ending.status == "complete"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("second", "'second' cannot take its own examples as seeds"),
        ("third", "'third' is a later generator"),
        ("frist", "there is no generator 'frist'"),
    ],
)
def test_generations_cannot_cycle(source: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        make("here", text=RECIPE.replace("seeds_from: first", f"seeds_from: {source}"))
    (problem,) = caught.value.problems
    assert (problem.line, problem.message) == (8, message)


def test_kinds_that_do_not_fit_are_refused() -> None:
    text = "name: t\nmodels: {m: {provider: scripted}}\nseeds: {path: s.jsonl}\ngenerate:\n"
    text += "- {kind: cot, count: 1}\n- {kind: classify, count: 1, seeds_from: cot}\n"
    text += "- {kind: tool_use, count: 1, environment: retail, seeds_from: cot}\n"
    text += "- {kind: answer, count: 1, seeds_from: tool_use}\n"
    with pytest.raises(RecipeError) as caught:
        make("here", text=text)
    assert [problem.message for problem in caught.value.problems] == [
        "kind classify needs the field 'text', and examples of 'cot' have none",
        "kind classify needs the field 'label', and examples of 'cot' have none",
        "conversations in an environment take no seeds",
        "an example of kind tool_use cannot be a seed",
    ]


def row(**columns: object) -> bytes:
    messages = [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "It is 4."}]
    whole: Json = {"id": "a-0", "seed_id": "s", "messages": messages, "lineage": {"ancestors": ["s"]}, **columns}
    return orjson.dumps(whole)


def test_a_row_gives_its_own_columns_and_what_was_said() -> None:
    (seed,) = seeds_from_rows([row(answer="4", scores={})], ("question", "answer"), source="a", user="b")
    assert (seed.id, seed.ancestors, seed.root) == ("a-0", ("s",), "s")
    assert seed.fields == {"answer": "4", "question": "2 + 2?"}
    (seed,) = seeds_from_rows([row()], ("answer",), source="a", user="b")
    assert seed.fields["answer"] == "It is 4."


def test_rows_that_lack_a_field_are_no_seeds() -> None:
    rows = [row(label="x"), row(label=""), row()]
    assert len(seeds_from_rows(rows, ("label",), source="a", user="b")) == 1
    with pytest.raises(RunError, match="no accepted example of 'a' can be a seed of 'b', which needs text"):
        seeds_from_rows(rows, ("text",), source="a", user="b")
