"""Verdicts beside labels, with accuracy and kappa worked out by hand."""

from pathlib import Path
from typing import Any

import pytest

from synth.errors import UsageError
from synth.judging.calibration import Label, calibrate, read_labels
from synth.judging.panel import Assessment, Judgement
from synth.recipe.rubric import Rubric, load_rubric


@pytest.fixture(scope="module")
def rubric(tmp_path_factory: pytest.TempPathFactory) -> Rubric:
    folder = tmp_path_factory.mktemp("rubric")
    (folder / "r.yaml").write_text("about: a\ncriteria: {right: {asks: b?, scale: {no: x, yes: y}}}\n")
    return load_rubric("r.yaml", folder)


def said(rubric: Rubric, *levels: str | None) -> Assessment:
    given = [None if level is None else Judgement("m", {"right": level}, {"right": ""}) for level in levels]
    return Assessment(rubric, tuple("m" for _ in levels), tuple(given))


def test_marks_and_levels_with_one_judge(rubric: Rubric) -> None:
    """Labels good good bad bad, verdicts good bad bad none: 2 of 3 right; p_e = (2*1 + 1*2) / 9, kappa .4."""
    verdicts: list[str | None] = ["yes", "no", "no", None]
    assessments = {str(n): said(rubric, level) for n, level in enumerate(verdicts)}
    labels = {
        str(n): Label(good, {"right": "yes" if good else "no"}) for n, good in enumerate([True, True, False, False])
    }
    found = calibrate(assessments, labels, 0.5)
    panel = found["marks"]["panel"]
    assert panel == {
        "items": 3,
        "none": 1,
        "accuracy": 0.6667,
        "kappa": 0.4,
        "confusion": {"bad": {"bad": 1}, "good": {"good": 1, "bad": 1}},
    }
    assert found["marks"]["judges"] == []
    (right,) = found["criteria"]["right"]
    assert (right["judge"], right["accuracy"], right["kappa"]) == ("m", 0.6667, 0.4)


def test_a_judge_that_always_says_the_same_is_worth_nothing(rubric: Rubric) -> None:
    assessments = {str(n): said(rubric, "yes") for n in range(8)}
    labels = {str(n): Label(n % 2 == 0) for n in range(8)}
    panel = calibrate(assessments, labels, 0.5)["marks"]["panel"]
    assert (panel["accuracy"], panel["kappa"]) == (0.5, 0.0)
    alike = calibrate(assessments, {row: Label(True) for row in labels}, 0.5)["marks"]["panel"]
    assert (alike["accuracy"], alike["kappa"]) == (1.0, None)


def test_the_mean_of_three_times_what_counts_as_good_is_good(tmp_path: Path) -> None:
    scale = "{0: a, 1: a, 2: a, 3: a, 4: a, 5: a, 6: a, 7: a, 8: a, 9: a, 10: a}"
    criteria = ", ".join(f"{name}: {{asks: b?, scale: {scale}}}" for name in "xyz")
    (tmp_path / "r.yaml").write_text(f"about: a\ncriteria: {{{criteria}}}\n")
    seven = Judgement("m", dict.fromkeys("xyz", "7"), dict.fromkeys("xyz", ""))
    found = Assessment(load_rubric("r.yaml", tmp_path), ("m",), (seven,))
    panel = calibrate({"a": found}, {"a": Label(True)}, 0.7)["marks"]["panel"]
    assert panel["confusion"] == {"good": {"good": 1}}


def test_each_of_several_judges_stands_beside_the_panel(rubric: Rubric) -> None:
    found = calibrate(
        {"a": said(rubric, "yes", "no"), "b": said(rubric, "no", "no")}, {"a": Label(True), "b": Label(False)}, 0.5
    )
    assert found["marks"]["panel"]["accuracy"] == 1.0
    assert [one["accuracy"] for one in found["marks"]["judges"]] == [1.0, 0.5]


def test_rows_without_a_label_and_labels_without_a_row_do_not_count(rubric: Rubric) -> None:
    found = calibrate({"a": said(rubric, "yes")}, {"b": Label(True)}, 0.5)
    assert found == {"marks": None, "criteria": {}}


def test_marks_of_a_review_are_labels(rubric: Rubric) -> None:
    rows: list[tuple[str, dict[str, Any]]] = [
        ("f:1", {"id": "a", "mark": "good"}),
        ("f:2", {"id": "b", "mark": "bad"}),
        ("f:3", {"id": "b", "mark": "unsure"}),
        ("f:4", {"id": "c", "mark": "bad"}),
        ("f:5", {"id": "c", "mark": None}),
    ]
    assert read_labels(rows, rubric) == {"a": Label(True)}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"mark": "good"}, 'f:1: a label has an "id"'),
        ({"id": "a"}, 'f:1: a label has an "id"'),
        ({"id": "a", "mark": "fine"}, "f:1: a mark is good, bad or unsure, not 'fine'"),
        ({"id": "a", "levels": {"rihgt": "yes"}}, "f:1: r.yaml has no criterion 'rihgt'"),
        ({"id": "a", "levels": {"right": "maybe"}}, "f:1: 'right' has no level 'maybe'"),
        ({"id": "a", "levels": ["yes"]}, 'f:1: "levels" is an object'),
    ],
)
def test_a_label_that_says_something_else(rubric: Rubric, row: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_labels([("f:1", row)], rubric)


def test_the_rubric_is_found_by_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_rubric("none.yaml", tmp_path)
