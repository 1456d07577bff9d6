"""What a panel's verdicts come to: how judges use each criterion's levels, how far they agree, who tells nothing
apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from synth.judging.agreement import agreement
from synth.messages import Json

_ENOUGH = 10
"""Verdicts, before a judge that always says the same is worth a word."""


def report_judges(judgements: Iterable[Json]) -> Json:
    """Over ``judgements`` as rows keep them (:meth:`Assessment.to_dict`), all of one panel.

    By criterion: ``levels`` (by judge, how often it said which), ``agreement`` (``statistic``, ``items``, ``observed``,
    ``kappa``; null with one judge) over the subjects that all judges gave a verdict on; and by judge ``none``: how
    often it gave no verdict that could be read. Judges of the same model are told apart as ``name #2``.
    """
    names: list[str] = []
    judged = 0
    levels: dict[str, list[Counter[str]]] = {}
    complete: dict[str, list[tuple[Any, ...]]] = {}
    none: Counter[str] = Counter()
    for judgement in judgements:
        verdicts = judgement["verdicts"]
        names, judged = names or _names(verdicts), judged + 1
        none.update(name for name, one in zip(names, verdicts, strict=True) if one["levels"] is None)
        given = [one["levels"] for one in verdicts]
        for place, said in enumerate(given):
            for criterion, level in (said or {}).items():
                levels.setdefault(criterion, [Counter() for _ in names])[place][level] += 1
        if None not in given:
            for criterion in given[0]:
                complete.setdefault(criterion, []).append(tuple(said[criterion] for said in given))
    return {
        "judged": judged,
        "none": {name: none[name] for name in names},
        "criteria": {
            criterion: {
                "levels": {name: dict(counts.most_common()) for name, counts in zip(names, used, strict=True)},
                "agreement": _agreement(complete.get(criterion, [])),
            }
            for criterion, used in levels.items()
        },
    }


def _agreement(ratings: list[tuple[Any, ...]]) -> Json | None:
    found = agreement(ratings)
    if found is None:
        return None
    kappa = None if found.kappa is None else round(found.kappa, 4)
    return {
        "statistic": found.statistic,
        "items": found.items,
        "observed": round(found.observed, 4),
        "kappa": kappa,
    }


def warnings(report: Json) -> Iterator[str]:
    """What is suspicious in a report of :func:`report_judges`, in words."""
    judged = report["judged"]
    for judge, none in report["none"].items():
        if judged >= _ENOUGH and none * 4 >= judged:
            yield f"judge {judge!r} gave no verdict that can be read on {none} of {judged}"
    for criterion, found in report["criteria"].items():
        for judge, levels in found["levels"].items():
            if len(levels) == 1 and sum(levels.values()) >= _ENOUGH:
                ((level, times),) = levels.items()
                yield (
                    f"judge {judge!r} said {level!r} of {criterion!r} in all of {times} verdicts: "
                    "it tells nothing apart there, and its kappa is 0 or undefined"
                )


def _names(verdicts: list[Json]) -> list[str]:
    seen: Counter[str] = Counter()
    names = []
    for one in verdicts:
        seen[one["judge"]] += 1
        names.append(one["judge"] if seen[one["judge"]] == 1 else f"{one['judge']} #{seen[one['judge']]}")
    return names
