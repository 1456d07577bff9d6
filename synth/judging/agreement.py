"""How far judges agree beyond chance: Cohen's kappa for two, Fleiss' for more; from the formulas, without a library.

J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960).
J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76 (1971).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Agreement:
    """``observed`` is the share of agreement as it stands, ``kappa`` what of it is beyond chance, from -1 to 1.

    ``kappa`` is None where it is undefined: everything got the same level, so that chance alone explains all.
    """

    statistic: Literal["cohen", "fleiss"]
    items: int
    observed: float
    kappa: float | None


def agreement(ratings: Sequence[Sequence[Hashable]]) -> Agreement | None:
    """The agreement of ``ratings``, one row for each item with the level of each judge; None with fewer than two judges
    or without items. Items that not every judge gave a level to are for the caller to leave out."""
    if not ratings or len(ratings[0]) < 2:
        return None
    if len(ratings[0]) == 2:
        return cohen([(one, other) for one, other in ratings])
    return fleiss(ratings)


def cohen(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Two judges: kappa = (p_o - p_e) / (1 - p_e), where p_e follows from how often each uses each level."""
    count = len(pairs)
    observed = sum(one == other for one, other in pairs) / count
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    expected = sum(ones[level] * others[level] for level in ones) / count**2
    return Agreement("cohen", count, observed, _kappa(observed, expected))


def fleiss(ratings: Sequence[Sequence[Hashable]]) -> Agreement:
    """Any number of judges: observed is the mean share of agreeing pairs of judges over the items."""
    judges, count = len(ratings[0]), len(ratings)
    by_item = [Counter(levels) for levels in ratings]
    pairs = judges * (judges - 1)
    observed = sum(sum(n * (n - 1) for n in counts.values()) / pairs for counts in by_item) / count
    overall = sum(by_item, Counter[Hashable]())
    expected = sum((n / (count * judges)) ** 2 for n in overall.values())
    return Agreement("fleiss", count, observed, _kappa(observed, expected))


def _kappa(observed: float, expected: float) -> float | None:
    return None if expected >= 1 else (observed - expected) / (1 - expected)
