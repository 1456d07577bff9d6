"""The steps of a cleaning in order: each looks at the texts of a row together, and mends them or drops the row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synth.curation import cleaning
from synth.curation.cleaning import Clean, Dropped
from synth.recipe.cleaning import CleanSpec, PiiOptions

if TYPE_CHECKING:
    from synth.curation.benchmarks import Benchmarks

Mend = Callable[[list[str]], list[str]]
"""Takes the texts of a row and gives as many. Raises ``Dropped``."""


@dataclass(frozen=True, slots=True)
class Step:
    """``private``: it looks at all that may tell of somebody, and what it changes or drops is not to be shown as it
    was."""

    name: str
    mend: Mend
    private: bool = False


def build_steps(spec: CleanSpec, base: Path) -> list[Step]:
    """What ``spec`` asks for, but for licences and near-duplicates, which are of whole rows; files are relative to
    ``base``. Raises ``UsageError`` for extras, languages and files that are not there."""
    cheap = {
        "unicode": cleaning.unicode_cleaner,
        "markup": cleaning.markup_cleaner,
        "invisible": cleaning.invisible_cleaner,
        "space": cleaning.space_cleaner,
    }
    steps = [Step(name, _each(make())) for name, make in cheap.items() if name not in spec.skip]
    if spec.min_words is not None or spec.max_words is not None:
        steps.append(Step("length", _each(cleaning.length_cleaner(spec.min_words or 0, spec.max_words))))
    if spec.quality:
        steps.append(Step("quality", _each(cleaning.quality_cleaner())))
    if spec.languages:
        steps.append(Step("language", _each(cleaning.language_cleaner(spec.languages))))
    if spec.toxicity is not None:
        steps.append(Step("toxicity", _toxicity(spec.toxicity)))
    if spec.decontaminate is not None:
        from synth.curation.benchmarks import Benchmarks

        steps.append(Step("decontaminate", _decontaminate(Benchmarks(spec.decontaminate, base))))
    if spec.pii is not None:
        steps.append(Step("pii", _pii(spec.pii), private=True))
    return steps


def _each(clean: Clean) -> Mend:
    return lambda texts: [clean(text) for text in texts]


def _toxicity(most: float) -> Mend:
    from synth.curation.toxicity import Toxicity

    detector = Toxicity()

    def check(texts: list[str]) -> list[str]:
        if detector.worst(texts)[0] > most:
            raise Dropped("offensive")
        return texts

    return check


def _decontaminate(benchmarks: Benchmarks) -> Mend:
    def check(texts: list[str]) -> list[str]:
        found = benchmarks.compare(texts)
        if found.reason:
            raise Dropped("in a benchmark", found.reason)
        return texts

    return check


def _pii(options: PiiOptions) -> Mend:
    from synth.curation.pii.finder import PiiFinder
    from synth.curation.pii.removing import mark, remove, stand_ins

    finder = PiiFinder(options.kinds, options.min_score)
    write = stand_ins(options.seed) if options.action == "replace" else mark

    def mend(texts: list[str]) -> list[str]:
        removed = remove(finder, write, texts)
        if removed.count and options.action == "reject":
            raise Dropped("personal data")
        return removed.texts

    return mend
