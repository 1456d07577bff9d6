"""``synth judge``: a run judged anew, and its judge measured by labels."""

import json
from pathlib import Path

import orjson
import pytest

from synth.errors import UsageError
from synth.job import run
from synth.judging.panel import Panel
from synth.recipe.load import load_recipe
from synth.rejudge import plan_judging

from .conftest import Outcome, Synth

RECIPE = """\
name: t
models:
  teacher: {provider: scripted, answers: answers.yaml}
  critic: {provider: scripted, answers: critic.yaml, api_key: "${CRITIC_KEY:-}"}
generate:
  - kind: custom
    id: raw
    count: 4
    steps: [{as: draft, prompt: "Say {{ unit.index }}"}]
    output: {messages: [{role: user, content: "Say {{ unit.index }}"}, {role: assistant, content: "{{ draft }}"}]}
diversity: "off"
"""
CRITIC = """\
- match: 'Say [01]'
  schema: true
  json: {right: {reason: it is even, level: 'yes'}}
- schema: true
  json: {right: {reason: it is odd, level: 'no'}}
"""


@pytest.fixture
def judge(synth: Synth, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Synth:
    """``synth judge`` by the run's own critic, in a folder with a run of four rows."""
    monkeypatch.setenv("SYNTH_CACHE", str(folder / "cache"))
    Path("recipe.yaml").write_text(RECIPE)
    Path("answers.yaml").write_text("- {rule: echo}\n")
    Path("critic.yaml").write_text(CRITIC)
    Path("right.yaml").write_text("about: An answer.\ncriteria: {right: {asks: Is it?, scale: {no: x, yes: y}}}\n")
    run(load_recipe("recipe.yaml"))

    def judged(*words: str) -> Outcome:
        return synth("judge", *words, "--rubric", "right.yaml", "--model", "critic")

    return judged


def test_the_rows_of_a_run_are_judged_by_a_model_of_its_recipe(judge: Synth) -> None:
    done = judge("runs/t")
    assert done.code == 0, done.err
    assert "4 rows by right.yaml; mean score 0.50" in done.out
    assert "yes 2, no 2" in done.out
    assert "right: no. it is odd" in done.out


def test_against_labels_it_says_how_far_the_judge_is_right(judge: Synth) -> None:
    marks = {
        "raw-000000": "good",
        "raw-000001": "bad",
        "raw-000002": "bad",
        "raw-000003": "unsure",
        "raw-000099": "bad",
    }
    Path("labels.jsonl").write_text("".join(json.dumps({"id": i, "mark": m}) + "\n" for i, m in marks.items()))
    done = judge("runs/t", "--against", "labels.jsonl")
    assert done.code == 0, done.err
    assert "0.67" in done.out
    assert "0.40" in done.out
    assert "1 labels are of no row, such as 'raw-000099'" in done.err
    found = orjson.loads(judge("runs/t", "--against", "labels.jsonl", "--json").out)
    assert found["against"]["marks"]["panel"]["accuracy"] == 0.6667
    assert [row["id"] for row in found["rows"]] == ["raw-000000", "raw-000001", "raw-000002"]
    assert found["rows"][2]["judgement"]["verdicts"][0]["reasons"] == {"right": "it is odd"}


def test_rows_with_the_same_id_are_refused(judge: Synth) -> None:
    rows = Path("runs/t/dataset/raw.jsonl")
    rows.write_bytes(rows.read_bytes() * 2)
    done = judge("runs/t")
    assert done.code == 2
    assert "two rows of runs/t have the id 'raw-000000'" in done.err


def test_only_the_first_rows(judge: Synth) -> None:
    assert len(orjson.loads(judge("runs/t", "-n", "3", "--json").out)["rows"]) == 3


def test_a_key_that_stood_in_the_recipe_is_not_there_to_judge_with(judge: Synth) -> None:
    Path("recipe.yaml").write_text(RECIPE.replace("${CRITIC_KEY:-}", "sk-1234"))
    run(load_recipe("recipe.yaml"), run_dir="runs/keyed")
    done = judge("runs/keyed")
    assert done.code == 2
    assert "a secret of model 'critic' stood in the recipe itself, and is not kept" in done.err
    assert "sk-1234" not in done.out + done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["runs/none"], "runs/none is no folder"),
        (["runs/t", "--against", "none.jsonl"], "there is no file of labels 'none.jsonl'"),
        (["runs/t", "--model", "critc"], "there is no model 'critc'"),
    ],
)
def test_what_is_not_there_is_said(judge: Synth, words: list[str], message: str) -> None:
    done = judge(*words)
    assert done.code == 2
    assert message in done.err


def test_what_the_runs_own_gate_has_said_is_not_asked_again(synth: Synth, judge: Synth) -> None:
    gate = "gates: [{gate: judge, rubric: right.yaml, agents: [critic], min: 0}]\n"
    Path("recipe.yaml").write_text(RECIPE + gate)
    run(load_recipe("recipe.yaml"), run_dir="runs/judged")
    Path("critic.yaml").write_text("- {answer: x, error: {kind: fatal}}\n")
    found = orjson.loads(synth("judge", "runs/judged", "--json").out)
    assert [row["score"] for row in found["rows"]] == [1.0, 1.0, 0.0, 0.0]
    assert found["rows"][0]["judgement"]["verdicts"][0]["reasons"] == {"right": "it is even"}
    assert judge("runs/judged").code == 1  # a judge that is named is asked
    Path("right.yaml").write_text("about: An answer.\ncriteria: {right: {asks: Is it so?, scale: {no: x, yes: y}}}\n")
    assert synth("judge", "runs/judged").code == 1  # and so is one with another rubric


LABELS = (
    '{"id": "raw-000000", "mark": "good"}\n{"id": "raw-000001", "mark": "bad"}\n{"id": "raw-000002", "mark": "bad"}\n'
)


def test_a_model_that_is_two_of_the_gates_judges_is_two_judges_here(synth: Synth, judge: Synth) -> None:
    """Of three labelled rows the gate has rejected one before it came to its judges: that one is asked for."""
    critic = "{model: critic, sampling: {temperature: 0.3, max_tokens: 77}}"
    gates = (
        f"[{{gate: length, max_chars: 10}}, {{gate: judge, rubric: right.yaml, agents: [{critic}, {critic}], min: 0}}]"
    )
    Path("recipe.yaml").write_text(RECIPE + f"gates: {gates}\nbudget: {{attempts: 1}}\n")
    Path("answers.yaml").write_text("- {match: Say 1, answer: one two three}\n- {rule: echo}\n")
    run(load_recipe("recipe.yaml"), run_dir="runs/twice")
    Path("labels.jsonl").write_text(LABELS)
    done = synth("judge", "runs/twice", "--against", "labels.jsonl", "--json")
    assert done.code == 0, done.err
    found = orjson.loads(done.out)
    assert found["judges"] == ["critic", "critic"]
    assert [len(row["judgement"]["verdicts"]) for row in found["rows"]] == [2, 2, 2]
    assert found["report"]["criteria"]["right"]["levels"] == {
        "critic": {"yes": 2, "no": 1},
        "critic #2": {"yes": 2, "no": 1},
    }
    assert plan_judging(Path("runs/twice")).agents[0].sampling.model_dump(exclude_unset=True) == {
        "temperature": 0.3,
        "max_tokens": 77,
    }


def test_from_another_folder_the_paths_of_the_recipe_are_still_of_its_folder(
    synth: Synth, judge: Synth, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = "gates: [{gate: judge, rubric: right.yaml, agents: [critic], min: 0}]\n"
    Path("recipe.yaml").write_text(RECIPE + gate)
    run(load_recipe("recipe.yaml"), run_dir="runs/judged")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    for words in ((), ("--model", "critic"), ("--rubric", "../right.yaml")):
        done = synth("judge", "../runs/judged", *words)
        assert done.code == 0, done.err
        assert "mean score 0.50" in done.out
    assert "rubric 'right.yaml' cannot be read" in synth("judge", "../runs/judged", "--rubric", "right.yaml").err


def test_where_the_recipes_folder_is_gone_its_paths_are_of_the_folder_one_is_in(
    synth: Synth, judge: Synth, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = folder.rename(folder.with_name("moved"))
    monkeypatch.chdir(moved)
    assert judge("runs/t").code == 0


def test_a_judge_that_cannot_be_asked_is_one_line(judge: Synth) -> None:
    Path("critic.yaml").write_text("- {answer: x, error: {kind: fatal}}\n")
    done = judge("runs/t")
    assert done.code == 1
    assert "Traceback" not in done.err


def test_a_model_file_is_a_judge_under_its_own_name(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"messages": []}\n')
    judging = plan_judging(rows, judges=[str(tmp_path / "my models" / "tiny (v2).gguf")])
    assert judging.models.keys() == {"tiny--v2-.gguf"}
    Panel(judging.rubric, judging.models, judging.agents)
    with pytest.raises(UsageError, match=r"would be called 'a\.gguf'"):
        plan_judging(rows, judges=["one/a.gguf", "two/a.gguf"])
