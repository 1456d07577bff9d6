"""Gates in a recipe: what it says of them, what they do to a run, and how it is told."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from synth.errors import RecipeError, UsageError
from synth.events import Warned
from synth.job import run
from synth.prepared import prepare
from synth.recipe.load import load_recipe

RECIPE = """\
name: t
models:
  teacher: {provider: scripted, answers: answers.yaml}
seeds: {path: seeds.jsonl}
generate:
  - kind: custom
    id: raw
    count: 3
    steps: [{as: draft, prompt: "{{ seed.question }}"}]
    output: {messages: [{role: user, content: "{{ seed.question }}"}, {role: assistant, content: "{{ draft }}"}]}
diversity: "off"
gates: GATES
"""
OWN = """\
from synth.example import Verdict

class NoDigits:
    def __init__(self, options):
        self.name = "digits"
        self._words = options["words"]

    def judge(self, draft):
        return Verdict("digits", not any(w in draft.text for w in self._words), "it holds one of the words", 0.5)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [{"question": text} for text in ("good one", "bad two", "good three", "fine four")]
    (tmp_path / "seeds.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    (tmp_path / "answers.yaml").write_text(
        "- {match: bad, answer: As an AI language model I cannot say.}\n- {answer: All is well with this answer.}\n"
    )
    return tmp_path


def load(gates: str) -> Path:
    Path("r.yaml").write_text(RECIPE.replace("GATES", gates))
    return Path("r.yaml")


def test_a_gate_rejects_the_attempt_by_its_name_and_leaves_its_score(folder: Path) -> None:
    result = run(load_recipe(load("[length, refusal]")))
    assert result.summary["rejected"] == {"refusal": 1}
    rows = [orjson.loads(line) for line in (result.run_dir / "dataset/raw.jsonl").read_bytes().splitlines()]
    assert [row["scores"] for row in rows] == [{"length": 6, "refusal": 0}] * 3
    (rejected,) = [orjson.loads(line) for line in (result.run_dir / "rejected.jsonl").read_bytes().splitlines()]
    assert (rejected["gate"], rejected["reason"]) == ("refusal", "the assistant says 'As an AI language model'")


def test_no_gates_keep_everything(folder: Path) -> None:
    assert run(load_recipe(load("[]"))).summary["rejected"] == {}


def test_a_gate_of_ones_own(folder: Path) -> None:
    Path("own_gates.py").write_text(OWN)
    result = run(load_recipe(load('[{gate: "own_gates:NoDigits", id: words, options: {words: [cannot]}}]')))
    assert result.summary["rejected"] == {"words": 1}


JUDGE = """\
- match: two
  schema: true
  json: {right: {reason: two is bad, level: 'no'}}
- schema: true
  json: {right: {reason: it holds up, level: 'yes'}}
- answer: All is well.
"""
RIGHT = "about: An answer.\ncriteria: {right: {asks: Is it right?, scale: {no: wrong, yes: right}}}\n"


def test_a_judge_rejects_with_its_reason_and_what_it_says_stands_in_the_row(folder: Path) -> None:
    Path("answers.yaml").write_text(JUDGE)
    Path("right.yaml").write_text(RIGHT)
    result = run(load_recipe(load("[length, {gate: judge, rubric: right.yaml, min: {right: yes}}]")))
    assert result.summary["rejected"] == {"judge": 1}
    assert result.summary["calls"]["sent"] == 8
    row = next(result.rows())
    assert row["scores"] == {"length": 3, "judge": 1.0}
    assert row["judgements"]["judge"] == {
        "rubric": "right.yaml",
        "scores": {"right": 1.0},
        "verdicts": [{"judge": "teacher", "levels": {"right": "yes"}, "reasons": {"right": "it holds up"}}],
    }
    assert [call.partition("/")[2] for call in row["lineage"]["calls"]] == ["draft.0", "gate-judge.0"]
    (rejected,) = [orjson.loads(line) for line in (result.run_dir / "rejected.jsonl").read_bytes().splitlines()]
    assert (rejected["gate"], rejected["reason"]) == ("judge", "right is 0.00, and 'yes' is 1.00: two is bad")
    assert rejected["judgements"]["judge"]["scores"] == {"right": 0.0}
    assert result.summary["judges"]["judge"]["criteria"]["right"]["levels"] == {"teacher": {"yes": 3, "no": 1}}


@pytest.mark.parametrize("least", ["0.7", "{x: '7', y: '7', z: '7'}"])
def test_a_mean_that_is_just_what_is_asked_for_passes(folder: Path, least: str) -> None:
    scale = ", ".join(f"'{level}': it is" for level in range(11))
    criteria = "".join(f"  {name}: {{asks: Is it?, scale: {{{scale}}}}}\n" for name in "xyz")
    Path("right.yaml").write_text(f"about: An answer.\ncriteria:\n{criteria}")
    seven = ", ".join(f"{name}: {{reason: it is, level: '7'}}" for name in "xyz")
    Path("answers.yaml").write_text(f"- {{schema: true, json: {{{seven}}}}}\n- {{answer: All is well.}}\n")
    judges = "agents: [teacher, teacher, teacher]"
    assert (
        run(load_recipe(load(f"[{{gate: judge, rubric: right.yaml, {judges}, min: {least}}}]"))).summary["rejected"]
        == {}
    )


def test_a_judge_that_cannot_be_read_says_no(folder: Path) -> None:
    Path("right.yaml").write_text(RIGHT)
    result = run(load_recipe(load("[{gate: judge, rubric: right.yaml, min: 0.5}]")))
    assert result.ending.status == "short"
    assert result.summary["judges"]["judge"]["none"] == {"teacher": 15}
    (reason,) = {orjson.loads(line)["reason"] for line in (result.run_dir / "rejected.jsonl").read_bytes().splitlines()}
    assert reason == "no judge gave a verdict that can be read"


def test_a_judge_that_always_says_the_same_is_told_of(folder: Path) -> None:
    Path("answers.yaml").write_text(JUDGE)
    Path("right.yaml").write_text(RIGHT)
    said: list[str] = []
    loaded = load_recipe(load("[{gate: judge, rubric: right.yaml, min: 0}]"), count=12)
    rows = [{"question": f"question {n}"} for n in range(12)]
    Path("seeds.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    run(loaded, listener=lambda event: said.append(event.message) if isinstance(event, Warned) else None)
    assert len(said) == 1
    assert said[0].startswith("gate 'judge': judge 'teacher' said 'yes' of 'right' in all of 12 verdicts")


def test_a_changed_rubric_is_a_changed_recipe(folder: Path) -> None:
    Path("answers.yaml").write_text(JUDGE)
    Path("right.yaml").write_text(RIGHT)
    gates = "[{gate: judge, rubric: right.yaml}]"
    run(load_recipe(load(gates)))
    Path("right.yaml").write_text(RIGHT.replace("Is it right?", "Is it so?"))
    with pytest.raises(UsageError, match=r"content of right\.yaml"):
        run(load_recipe(load(gates)))


def test_a_killed_judge_is_not_asked_again_on_resume(folder: Path) -> None:
    Path("answers.yaml").write_text(JUDGE)
    Path("right.yaml").write_text(RIGHT)
    gates = "[{gate: judge, rubric: right.yaml, min: {right: yes}}]"
    first = run(load_recipe(load(gates), overrides=["budget.attempts=1"]))
    assert first.ending.status == "short"
    again = run(load_recipe(load(gates)))
    assert again.ending.status == "complete"
    assert again.summary["calls"]["sent"] == 8


def test_a_changed_gate_is_a_changed_recipe(folder: Path) -> None:
    run(load_recipe(load("[length]")))
    with pytest.raises(UsageError, match=r"gates\.0\.max_words: unset -> 50"):
        run(load_recipe(load("[{gate: length, max_words: 50}]")))


def test_a_changed_benchmark_is_a_changed_recipe(folder: Path) -> None:
    Path("b.txt").write_text("some words that stand in a benchmark\n")
    gates = "[{gate: decontaminate, files: [b.txt]}]"
    run(load_recipe(load(gates)))
    Path("b.txt").write_text("other words that stand in a benchmark\n")
    with pytest.raises(UsageError, match=r"content of b\.txt"):
        run(load_recipe(load(gates)))


def test_a_teacher_whose_terms_are_not_allowed_is_never_asked(folder: Path) -> None:
    gate = "[{gate: license, allow: [MIT, apache-2.0], field: question, models: {MODELS}}]"
    with pytest.raises(UsageError, match=r"does not know the terms of the model 'teacher'"):
        prepare(load_recipe(load(gate.replace("MODELS", ""))))
    with pytest.raises(UsageError, match=r"does not allow the model 'teacher': its terms are 'research only'"):
        prepare(load_recipe(load(gate.replace("MODELS", "teacher: research only"))))
    with pytest.raises(
        RecipeError, match=r"seeds.jsonl:1:1: the gate 'license' does not allow this seed: its question"
    ):
        prepare(load_recipe(load(gate.replace("MODELS", "teacher: mit"))))


def test_seeds_and_teachers_that_are_allowed_leave_a_mark_in_each_row(folder: Path) -> None:
    gate = "[{gate: license, allow: [MIT], field: question, models: {teacher: mit}}]"
    Path("seeds.jsonl").write_bytes(
        b"".join(orjson.dumps({"question": name}) + b"\n" for name in ("mit", "MIT", "Mit"))
    )
    result = run(load_recipe(load(gate)))
    rows = [orjson.loads(line) for line in (result.run_dir / "dataset/raw.jsonl").read_bytes().splitlines()]
    assert [row["scores"] for row in rows] == [{"license": 1}] * 3


@pytest.mark.parametrize(
    ("gates", "problem"),
    [
        ("[lenght]", "r.yaml:12:9: unknown gate 'lenght' (did you mean 'length'?)"),
        ("[{gate: lenght}]", "r.yaml:12:16: unknown gate 'lenght' (did you mean 'length'?)"),
        ("[{gate: length, max_word: 3}]",
         "r.yaml:12:24: unknown key 'max_word' in gates.0 (did you mean 'max_words'?)"),
        ("[{gate: length, min_words: -1}]", "r.yaml:12:35: 'min_words' must be at least 0, got -1"),
        ("[{max_words: 3}]", "r.yaml:12:9: 'gate' is missing in gates.0 (gates: length, refusal, repetition, format, "
         "language, decontaminate, judge, pii, toxicity, license, or module:Class for your own)"),
        ("[3]", "r.yaml:12:9: 'gates.0' must be the name of a gate, or a mapping with 'gate', got 3"),
        ("[{gate: decontaminate}]", "r.yaml:12:9: 'files' is missing in gates.0 (files: Benchmark files (.jsonl .json "
         ".csv .parquet .txt, also .gz), relative to the recipe.)"),
        ("[{gate: decontaminate, files: [seds.jsonl]}]",
         "r.yaml:12:39: benchmark file: there is no file 'seds.jsonl' (did you mean 'seeds.jsonl'?)"),
        ("[{gate: judge, rubric: helpfullness}]", "r.yaml:12:31: there is no rubric 'helpfullness' (did you mean "
         "'helpfulness'?; a file of your own ends in .yaml)"),
        ("[{gate: judge, rubric: own.yaml}]", "r.yaml:12:31: rubric: there is no file 'own.yaml' (looked for "
         "'own.yaml': paths are relative to the recipe)"),
        ("[{gate: judge, agents: [techer]}]",
         "r.yaml:12:32: there is no model 'techer' (did you mean 'teacher'?)"),
        ("[{gate: judge, min: 4}]", "r.yaml:12:28: 'min' must be at most 1, got 4"),
        ("[{gate: judge, min: high}]", "r.yaml:12:28: 'min' must be a number, got 'high'"),
        ("[{gate: judge, min: {clar: yes}}]",
         "r.yaml:12:29: the rubric has no criterion 'clar' (did you mean 'clear'?)"),
        ("[{gate: judge, min: {clear: 5}}]",
         "r.yaml:12:36: 'clear' must be text, got 5 (put it in quotes)"),
        ("[{gate: judge, min: {clear: very}}]",
         "r.yaml:12:36: 'clear' has no level 'very' (levels: no, partly, yes)"),
        ("[length, {gate: length, max_words: 3}]", "r.yaml:12:17: two gates have the id 'length': gates.0 has it too "
         "(give one of them an 'id' of its own: its score gets that name)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands(folder: Path, gates: str, problem: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(load(gates))
    assert [f"{p} ({p.hint})" if p.hint else str(p) for p in caught.value.problems] == [problem]
