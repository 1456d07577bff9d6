"""How far judges are right: their verdicts beside labels that people, or exact answers, have given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synth.errors import UsageError
from synth.judging.agreement import cohen
from synth.judging.panel import Assessment, reaches
from synth.messages import Json
from synth.recipe.rubric import Rubric


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of one row: whether it is good, and of some criteria the right level."""

    good: bool | None
    levels: Mapping[str, str] = field(default_factory=dict)


def read_labels(rows: Iterable[tuple[str, Mapping[str, Any]]], rubric: Rubric) -> dict[str, Label]:
    """Labels by row id. ``rows`` come with where each stands, for messages.

    A row is ``{"id": …, "mark": "good" | "bad" | "unsure"}``, as ``synth view`` keeps its marks, or has ``levels``: by
    criterion of the rubric the level that is right. What is ``unsure``, or null (a mark taken back), and has no levels
    is left out; of two rows with one id the later counts. Raises ``UsageError`` for a row that says something else.
    """
    labels: dict[str, Label] = {}
    for where, row in rows:
        levels, mark = row.get("levels", {}), row.get("mark")
        if not isinstance(row.get("id"), str) or ("mark" not in row and not levels):
            raise UsageError(f'{where}: a label has an "id", and "mark": "good", "bad" or "unsure", or "levels"')
        if mark not in {None, "good", "bad", "unsure"}:
            raise UsageError(f"{where}: a mark is good, bad or unsure, not {mark!r}")
        if not isinstance(levels, dict):
            raise UsageError(f'{where}: "levels" is an object: criterion to level')
        for name, level in levels.items():
            if name not in rubric.criteria:
                raise UsageError(
                    f"{where}: {rubric.name} has no criterion {name!r}", hint=f"it has {', '.join(rubric.criteria)}"
                )
            if level not in rubric.criteria[name].scale:
                known = ", ".join(rubric.criteria[name].scale)
                raise UsageError(f"{where}: {name!r} has no level {level!r}", hint=f"its levels are {known}")
        good = {"good": True, "bad": False}.get(str(mark))
        if good is None and not levels:
            labels.pop(row["id"], None)
        else:
            labels[row["id"]] = Label(good, levels)
    return labels


def calibrate(assessments: Mapping[str, Assessment], labels: Mapping[str, Label], least: float) -> Json:
    """How far verdicts and labels agree, over the rows in both.

    ``marks``: good means a score of at least ``least``; of the panel, and of each judge alone. ``criteria``: by judge,
    each criterion's level. Each has ``items``, ``accuracy``, ``kappa`` (null where it is undefined), ``none`` (rows
    without a verdict that can be read) and ``confusion`` (label to verdict to times).
    """
    both = [(assessments[row], labels[row]) for row in labels if row in assessments]
    judges = both[0][0].judges if both else ()
    marked = [(found, "good" if label.good else "bad") for found, label in both if label.good is not None]
    alone = [
        [(_alone(found, place), mark) for found, mark in marked]
        for place in range(len(judges) if len(judges) > 1 else 0)
    ]
    return {
        "marks": {
            "panel": _compare([(mark, _mark(found.score, least)) for found, mark in marked]),
            "judges": [
                {"judge": judge} | _compare([(mark, _mark(found.score, least)) for found, mark in part])
                for judge, part in zip(judges, alone, strict=False)
            ],
        }
        if marked
        else None,
        "criteria": {
            name: [
                {"judge": judge}
                | _compare(
                    [
                        (label.levels[name], said.levels[name] if (said := found.judgements[place]) else None)
                        for found, label in both
                        if name in label.levels
                    ]
                )
                for place, judge in enumerate(judges)
            ]
            for name in sorted({name for _, label in both for name in label.levels})
        },
    }


def _alone(found: Assessment, place: int) -> Assessment:
    return Assessment(found.rubric, (found.judges[place],), (found.judgements[place],))


def _mark(score: float | None, least: float) -> str | None:
    return None if score is None else "good" if reaches(score, least) else "bad"


def _compare(pairs: Sequence[tuple[str, str | None]]) -> Json:
    """``pairs`` of label and verdict, None for a row without a verdict."""
    given = [(label, verdict) for label, verdict in pairs if verdict is not None]
    confusion: dict[str, Counter[str]] = {}
    for label, verdict in given:
        confusion.setdefault(label, Counter())[verdict] += 1
    found = cohen(given) if given else None
    return {
        "items": len(given),
        "none": len(pairs) - len(given),
        "accuracy": round(found.observed, 4) if found else None,
        "kappa": round(found.kappa, 4) if found and found.kappa is not None else None,
        "confusion": {label: dict(counts.most_common()) for label, counts in sorted(confusion.items())},
    }
