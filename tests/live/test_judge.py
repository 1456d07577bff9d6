"""A judge on the real embedded model: every verdict is by the rubric, whatever it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth.events import ignore
from synth.rejudge import judge_rows, plan_judging

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

ROWS = {
    "right": "There are 3 * 4 = 12 nuts. Answer: 12",
    "wrong": "There are 3 + 4 = 7 nuts. Answer: 7",
}


def test_a_small_model_judges_by_the_rubric(model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_CACHE", str(tmp_path / "cache"))
    question = {"role": "user", "content": "Ann has 3 bags with 4 nuts each. How many nuts are there?"}
    path, labels = tmp_path / "rows.jsonl", tmp_path / "labels.jsonl"
    path.write_text(
        "".join(
            json.dumps({"id": name, "messages": [question, {"role": "assistant", "content": text}]}) + "\n"
            for name, text in ROWS.items()
        )
    )
    labels.write_text('{"id": "right", "mark": "good"}\n{"id": "wrong", "mark": "bad"}\n')
    judging = plan_judging(path, rubric="reasoning", judges=[str(model_file)])
    found = judge_rows(path, judging, against=labels, listener=ignore)
    assert [row["id"] for row in found["rows"]] == list(ROWS)
    for row in found["rows"]:
        (verdict,) = row["judgement"]["verdicts"]
        levels = verdict["levels"]
        if levels is not None:
            assert levels.keys() == judging.rubric.criteria.keys()
            assert all(level in judging.rubric.criteria[name].scale for name, level in levels.items())
        assert (row["score"] is None) == (levels is None)
    panel = found["against"]["marks"]["panel"]
    assert panel["items"] + panel["none"] == len(ROWS)
