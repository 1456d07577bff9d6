"""Only seeds and teachers whose terms allow it: what may not be used is refused before anything is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synth.errors import Problem, RecipeError
from synth.example import Draft, Seed, Verdict
from synth.recipe.gates import LicenseSpec

_MOST_SHOWN = 20


class License:
    """Passes every draft: a run in which one could fail does not begin. Its name in a row says that it was checked.

    It compares names, and knows of no licence what it says: that is for whoever writes ``allow`` and ``models``.
    """

    def __init__(self, spec: LicenseSpec) -> None:
        self.name = spec.id

    def judge(self, draft: Draft) -> Verdict:
        return Verdict(self.name, True, score=1)


def check_licenses(spec: LicenseSpec, seeds: Sequence[Seed], file: Path | None) -> None:
    """Raises ``RecipeError`` for seeds that ``spec`` does not allow."""
    allowed = {name.casefold() for name in spec.allow}
    listed = ", ".join(spec.allow)
    problems = [
        Problem(str(file), seed.line, 1, f"the gate {spec.id!r} does not allow this seed: {_of(seed, spec.field)}")
        for seed in seeds
        if str(seed.fields.get(spec.field) or "").casefold() not in allowed
    ]
    if problems:
        more = len(problems) - _MOST_SHOWN
        hint = f"allowed are {listed}; seeds.clean.license leaves other rows out"
        last = Problem(str(file), 0, 0, f"and {more:,} more" if more > 0 else "none of these may be used", hint)
        raise RecipeError([*problems[:_MOST_SHOWN], last])


def _of(seed: Seed, field: str) -> str:
    value = seed.fields.get(field)
    return f"its {field} is {value!r}" if value else f"it has no {field!r}"
