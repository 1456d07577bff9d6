"""Two runs side by side: what their recipes differ in, what they came to, and which rows only one of them has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from synth.fingerprint import fingerprint
from synth.messages import Json
from synth.reader import RunReader
from synth.recipe.lock import differences

_EVERYTHING = 2**62


@dataclass(frozen=True, slots=True)
class Comparison:
    """``recipe`` names fields as ``field: one -> other``. ``counts`` are ``name: (one, other)``.

    Rows are the same where their conversation is, whatever their ids: ``same`` rows, and those of only one run.
    """

    recipe: tuple[str, ...]
    counts: dict[str, tuple[float, float]]
    same: int
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    def to_dict(self) -> Json:
        return {
            "recipe": list(self.recipe),
            "counts": {name: list(pair) for name, pair in self.counts.items()},
            "rows": {"same": self.same, "only_first": list(self.only_first), "only_second": list(self.only_second)},
        }


def compare(first: RunReader, second: RunReader) -> Comparison:
    """What the run in ``second`` has otherwise than the one in ``first``."""
    rows = [_rows(reader) for reader in (first, second)]
    same = sum((Counter(text for text, _ in rows[0]) & Counter(text for text, _ in rows[1])).values())
    one, other = (_counts(reader) for reader in (first, second))
    names = [*one, *(name for name in other if name not in one)]
    return Comparison(
        recipe=tuple(differences(first.lock, second.lock)),
        counts={name: (one.get(name, 0), other.get(name, 0)) for name in names},
        same=same,
        only_first=_only(rows[0], rows[1]),
        only_second=_only(rows[1], rows[0]),
    )


def _rows(reader: RunReader) -> list[tuple[str, str]]:
    """Fingerprint of the conversation, and id, of every accepted row in plan order."""
    attempts = reader.attempts(accepted=True, newest=_EVERYTHING)
    return [(fingerprint(attempt.row["messages"]), attempt.unit) for attempt in attempts]


def _only(rows: list[tuple[str, str]], others: list[tuple[str, str]]) -> tuple[str, ...]:
    left = Counter(text for text, _ in others)
    only = []
    for text, unit in rows:
        if left[text]:
            left[text] -= 1
        else:
            only.append(unit)
    return tuple(only)


def _counts(reader: RunReader) -> dict[str, float]:
    counts: dict[str, float] = {}
    for name, entry in reader.tally().items():
        counts[f"{name}: accepted"] = entry["accepted"]
        counts[f"{name}: attempts"] = entry["attempts"]
        counts |= {f"{name}: rejected by {gate}": times for gate, times in entry["rejected"].items()}
        counts[f"{name}: tokens"] = entry["tokens"]["input"] + entry["tokens"]["output"]
        counts[f"{name}: USD"] = entry["cost_usd"]
        counts |= {f"{name}: mean {score}": mean for score, mean in _mean_scores(reader, name).items()}
    return counts


def _mean_scores(reader: RunReader, generator: str) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for attempt in reader.attempts(generator=generator, accepted=True, newest=_EVERYTHING):
        for name, value in attempt.row["scores"].items():
            values.setdefault(name, []).append(value)
    return {name: round(sum(found) / len(found), 4) for name, found in values.items()}
