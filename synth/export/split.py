"""Which rows are for training and which for testing: never two rows of one seed on different sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from math import isclose

from synth.errors import UsageError
from synth.messages import Json


def parse_shares(text: str) -> dict[str, float]:
    """``train=0.9,test=0.1``. Raises ``UsageError`` for what is not shares that are 1 in all."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = (word.strip() for word in part.partition("="))
        try:
            shares[name] = float(share)
        except ValueError:
            raise UsageError(f"--split: {part!r} is not name=share", hint="write train=0.9,test=0.1") from None
        if not name.isidentifier() or not 0 < shares[name] <= 1:
            raise UsageError(f"--split: {part!r} is not a name and a share between 0 and 1")
    if not isclose(sum(shares.values()), 1, abs_tol=1e-6) or len(shares) != len(text.split(",")):
        raise UsageError(f"--split: the shares of {text!r} are not 1 in all", hint="write train=0.9,test=0.1")
    return shares


def group_of(row: Json) -> str:
    """What rows must stay together by: the curated seed that they come from; a row without one stands alone."""
    ancestors = (row.get("lineage") or {}).get("ancestors")
    seed = ancestors[0] if ancestors else row.get("seed_id")
    return f"seed {seed}" if seed is not None else f"row {row.get('id')}"


def assign(rows: Iterable[Json], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Group to split. Groups are taken in the order of a keyed hash, each by the split that lacks most of its rows.

    So the same rows and ``seed`` give the same sides in any order of rows, and sides come as near to their shares as
    whole groups allow.
    """
    sizes = Counter(map(group_of, rows))
    total = sum(sizes.values())
    filled = dict.fromkeys(shares, 0)
    sides: dict[str, str] = {}
    for group in sorted(sizes, key=lambda name: hashlib.blake2b(f"{seed}:{name}".encode()).digest()):
        side = max(shares, key=lambda name: shares[name] * total - filled[name])
        sides[group] = side
        filled[side] += sizes[group]
    return sides
