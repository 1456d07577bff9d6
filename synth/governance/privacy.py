"""Numbers about private rows that may be told: differentially private statistics by OpenDP, and a ledger of ε.

One row counts as one person: with ε, no statistic becomes more than e^ε times likelier or less likely by any one row
being there (pure differential privacy under add or remove; Dwork et al. 2006). Statistics about the same file compose:
their ε add up, and the ledger beside the file keeps the sum.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson

from synth.errors import UsageError
from synth.files import cannot_write
from synth.messages import Json

Statistic = Literal["count", "sum", "mean", "histogram"]
STATISTICS: tuple[Statistic, ...] = ("count", "sum", "mean", "histogram")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a column: ``bounds`` are chosen without looking at it, values beyond are moved to them."""

    statistic: Statistic
    epsilon: float
    bounds: tuple[float, float]
    bins: int = 10


def private_statistic(values: Sequence[float], query: Query) -> list[float]:
    """One number, or for a histogram one for each of ``bins`` equal parts of the bounds, from the lowest.

    Raises ``UsageError`` without the extra ``privacy``.
    """
    dp = _opendp()
    low, high = query.bounds
    space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.symmetric_distance()
    data = [float(value) for value in values]

    def released(transformation: Any, epsilon: float) -> Any:
        def measurement(scale: float) -> Any:
            return transformation >> dp.m.then_laplace(scale=scale)

        return dp.binary_search_chain(measurement, d_in=1, d_out=epsilon)(data)

    def total(epsilon: float) -> float:
        return float(released(space >> dp.t.then_clamp((low, high)) >> dp.t.then_sum(), epsilon))

    def count(epsilon: float) -> float:
        return float(released(space >> dp.t.then_count(), epsilon))

    match query.statistic:
        case "count":
            return [count(query.epsilon)]
        case "sum":
            return [total(query.epsilon)]
        case "mean":  # half of ε for the sum, half for the count; what is made of both costs nothing more
            mean = total(query.epsilon / 2) / max(count(query.epsilon / 2), 1)
            return [min(max(mean, low), high)]
        case "histogram":
            width = (high - low) / query.bins
            edges = [low + width * number for number in range(1, query.bins)]
            binned = space >> dp.t.then_clamp((low, high)) >> dp.t.then_find_bin(edges=edges)
            counted = binned >> dp.t.then_count_by_categories(list(range(query.bins)), null_category=False)
            return [float(number) for number in released(counted, query.epsilon)]


class Ledger:
    """What has been told of a file, in ``<file>.privacy.jsonl``; a line is written before a number is told."""

    def __init__(self, data: Path) -> None:
        data = data.resolve()  # by whatever name it is asked for
        self.path = data.with_name(data.name + ".privacy.jsonl")

    @property
    def spent(self) -> float:
        """The sum of ε so far. Raises ``UsageError`` for a ledger that cannot be read."""
        if not self.path.exists():
            return 0.0
        try:
            return sum(float(orjson.loads(line)["epsilon"]) for line in self.path.read_bytes().splitlines())
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"the ledger {self.path} cannot be read", hint="restore it: it bounds what may be told"
            ) from error

    def spend(self, field: str, query: Query, budget: float) -> float:
        """Note the query and return the sum of ε with it. Raises ``UsageError`` where that would pass ``budget``."""
        after = self.spent + query.epsilon
        if after > budget + 1e-9:
            raise UsageError(
                f"this would take ε to {after:g}, over the budget of {budget:g}: {self.spent:g} is spent already",
                hint=f"ask with a smaller --epsilon; {self.path} has what was told",
            )
        entry: Json = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "field": field,
            "statistic": query.statistic,
        }
        entry |= {"epsilon": query.epsilon, "bounds": list(query.bounds)}
        try:
            with self.path.open("ab") as file:
                file.write(orjson.dumps(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return after


def _opendp() -> Any:
    try:
        import opendp.prelude as dp
    except ImportError as error:
        raise UsageError("private statistics need OpenDP", hint="pip install 'synth[privacy]'") from error
    dp.enable_features("contrib")  # its vetting is by many eyes, not by the formal process; there is no other kind
    return dp
