"""The shipped recipes of ensembles and seed expansion, end to end on a scripted model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from synth.job import RunResult, run
from synth.messages import Json
from synth.recipe.load import load_recipe
from synth.shipped import shipped

# The first seed: bags of 6 rolls, 4 bags bought, 2 rolls eaten; 22 are left.
EXPAND = r"""
- {system: write word problems, json: {question: "A bus has 5 rows of 4 seats. 7 seats are taken. How many are free?"}}
- system: make word problems harder
  json:
    added: She gives 3 rolls to Tom.
    question: "Maya buys 4 bags of 6 rolls, eats 2 rolls and gives 3 rolls to Tom. How many are left?"
- system: retell problems
  json: {question: "A ward orders 4 packs of 6 bandages each and 2 are used at once. How many remain?"}
- {system: Python programs, match: rows of 4, answer: "```python\ndef solution():\n    return 5 * 4 - 7\n```"}
- {system: Python programs, match: gives 3, answer: "```python\nprint(4 * 6 - 2 - 3)\n```"}
- {match: 'rows of 4', answer: "There are 5 * 4 = 20 seats.\n20 - 7 = 13 are free.\nAnswer: 13"}
- {match: 'gives 3', answer: "There are 4 * 6 = 24 rolls.\n24 - 2 = 22 remain.\n22 - 3 = 19 are left.\nAnswer: 19"}
- {match: 'bags of x', answer: "She had 22 + 2 = 24 rolls.\nA bag holds 24 / 4 = 6.\nAnswer: 6"}
- {match: 'buys x bags', answer: "She had 22 + 2 = 24 rolls.\nThere are 24 / 6 = 4 bags.\nAnswer: 4"}
- {match: 'eats x rolls', answer: "She had 6 * 4 = 24 rolls.\nShe ate 24 - 22 = 2.\nAnswer: 2"}
- {match: '4 (bags|packs)', answer: "There are 4 * 6 = 24.\n24 - 2 = 22 are left.\nAnswer: 22"}
"""
HINTS = r"""
- {match: '^Say this', answer: First find how many rolls she bought.}
- {match: 'hint in one sentence', answer: First find how many rolls she bought.}
- {match: 'helpful sentence', json: {ok: true}}
- {match: 'number alone', answer: ["6 * 4 - 2 = 22\nAnswer: 22"]}
"""
VOWELS = r"""
- answer:
    - "```python\ndef count_vowels(text):\n    return len(text)\n```"
    - "It counts.\n```python\ndef count_vowels(text):\n    return sum(one in 'aeiou' for one in text.lower())\n```"
"""
LABELS = r"""
- {system: collection of texts, match: 'category "delivery"', json: {text: Where on earth is my box from last month}}
- {system: collection of texts, match: 'category "refund"', json: {text: Nobody paid me back for the broken chair}}
- {system: collection of texts, json: {text: It says that my name is already in use}}
- {system: sort short texts, match: 'Text: Where on earth.*\n', json: {label: delivery}}
- {system: sort short texts, match: 'Text: Nobody paid.*\n', json: {label: refund}}
- {system: sort short texts, json: {label: account}}
"""

REPLIES = r"""
- {match: 'customer of an online shop writes about', answer: "My parcel is a week late, where is it?"}
- match: 'Write only the reply'
  answer: ["I am sorry about the delay, I will ask the courier today.", "It will be there some day, please be patient.",
           "Dear [Name], your parcel is late."]
"""
CRITIC = r"""
- match: 'Answer A:\nI am sorry'
  json: {reason: it says what happens next, better: A}
- match: 'Answer B:\nI am sorry'
  json: {reason: it says what happens next, better: B}
- match: 'Assistant: I am sorry'
  json: &fine
    helpful: {reason: it acts, level: 'yes'}
    correct: {reason: it holds, level: 'yes'}
    clear: {reason: it is plain, level: 'yes'}
- json: {<<: *fine, helpful: {reason: no help, level: 'no'}}
"""


def run_shipped(name: str, answers: str, folder: Path, *overrides: str, count: int | None = None) -> RunResult:
    script = folder / "answers.yaml"
    script.write_text(answers)
    scripted = ("models.teacher.provider=scripted", f"models.teacher.answers={script}", "diversity=off")
    loaded = load_recipe(shipped("recipes") / name, overrides=(*scripted, *overrides), count=count)
    return run(loaded, run_dir=folder / "run")


def rows(folder: Path, generator: str) -> list[dict[str, Any]]:
    return [
        orjson.loads(line) for line in (folder / "run" / "dataset" / f"{generator}.jsonl").read_bytes().splitlines()
    ]


def test_every_way_to_multiply_a_seed(tmp_path: Path) -> None:
    result = run_shipped("expand.yaml", EXPAND, tmp_path, "seeds.limit=1", count=1)
    assert result.ending.status == "complete", result.summary
    by_generator: dict[str, Json] = {
        name: rows(tmp_path, name)[0] for name in ("answers", "backward", "personas", "questions", "harder")
    }
    assert by_generator["questions"]["answer"] == "13"
    assert by_generator["questions"]["decided_by"] == "program"
    assert by_generator["harder"]["answer"] == "19"
    assert by_generator["personas"]["answer"] == by_generator["answers"]["answer"] == "22"
    assert "what is the value of x?" in by_generator["backward"]["messages"][0]["content"]


def test_programs_that_pass_the_tests_of_their_seed(tmp_path: Path) -> None:
    result = run_shipped("code.yaml", VOWELS, tmp_path, "seeds.limit=1", count=1)
    assert result.ending.status == "complete", result.summary
    row = rows(tmp_path, "programs")[0]
    assert (row["decided_by"], row["scores"]["pass_rate"]) == ("tests", 0.5)
    assert "'aeiou'" in row["messages"][1]["content"]


def test_an_ensemble_of_ones_own(tmp_path: Path) -> None:
    result = run_shipped("ensemble.yaml", HINTS, tmp_path, "seeds.limit=1", count=1)
    assert result.ending.status == "complete", result.summary
    assert rows(tmp_path, "hints")[0]["messages"][1]["content"] == "First find how many rolls she bought."


def test_texts_for_a_classifier(tmp_path: Path) -> None:
    result = run_shipped("classify.yaml", LABELS, tmp_path, count=12)
    assert result.ending.status == "complete", result.summary
    made = rows(tmp_path, "classify")
    assert {row["label"] for row in made} <= {"delivery", "refund", "account"}
    assert all(row["messages"][1]["content"] == row["label"] for row in made)
    assert result.summary["rejected"].get("label", 0) >= 1  # texts for "product" are judged to be something else


def test_preferences_by_a_rubric(tmp_path: Path) -> None:
    (tmp_path / "critic.yaml").write_text(CRITIC)
    critic = orjson.dumps({"provider": "scripted", "answers": str(tmp_path / "critic.yaml")}).decode()
    result = run_shipped("preference.yaml", REPLIES, tmp_path, f"models.critic={critic}")
    assert result.ending.status == "complete", result.summary
    made = rows(tmp_path, "support")
    assert {row["chosen"][0]["content"] for row in made} == {
        "I am sorry about the delay, I will ask the courier today."
    }
    for row in made:
        assert row["messages"] == row["prompt"] + row["chosen"]
        assert row["responses"][0]["score"] == 1.0 > row["responses"][1]["score"]
        assert row["separates"]
    exported = {name: told["written"] for name, told in result.summary["exports"].items()}
    assert exported == {"dpo": 4, "kto": 8, "reward": 4}
