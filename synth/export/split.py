"""Which rows are for training and which for testing: all rows of a seed on one side."""

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
    whole groups allow. Groups that share a seed, since the prompts of one showed what the other was made of, go
    together, unless they would then be more than the largest share.
    """
    sizes: Counter[str] = Counter()
    parents: dict[str, str] = {}
    for row in rows:
        sizes[group_of(row)] += 1
        for other in (*_seeds(row), *([row["id"]] if row.get("id") is not None else [])):
            parents[_root(parents, f"seed {other}")] = _root(parents, group_of(row))
    total = sum(sizes.values())
    first: dict[str, str] = {}
    joined = {group: first.setdefault(_root(parents, group), group) for group in sorted(sizes)}
    together: Counter[str] = Counter()
    for group, size in sizes.items():
        together[joined[group]] += size
    if max(together.values(), default=0) > max(max(shares.values()) * total, *sizes.values(), 0):
        joined, together = {group: group for group in sizes}, sizes
    filled = dict.fromkeys(shares, 0)
    sides: dict[str, str] = {}
    for name in sorted(together, key=lambda name: hashlib.blake2b(f"{seed}:{name}".encode()).digest()):
        sides[name] = max(shares, key=lambda side: shares[side] * total - filled[side])
        filled[sides[name]] += together[name]
    return {group: sides[name] for group, name in joined.items()}


def on_more_sides(rows: Iterable[Json], sides: Mapping[str, str]) -> int:
    """How many seeds are behind rows on more than one side, as what a row was made of or was shown in its prompts."""
    seen: dict[str, set[str]] = {}
    for row in rows:
        for seed in _seeds(row):
            seen.setdefault(seed, set()).add(sides[group_of(row)])
    return sum(len(found) > 1 for found in seen.values())


def _seeds(row: Json) -> list[str]:
    return (row.get("lineage") or {}).get("seeds") or []


def _root(parents: dict[str, str], name: str) -> str:
    """The name that stands for all that ``name`` was joined with."""
    while (parent := parents.setdefault(name, name)) != name:
        parents[name] = name = parents.setdefault(parent, parent)
    return name
