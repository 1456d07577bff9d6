"""What changed between two states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synth.environments.vocabulary import Change


def diff(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """The smallest parts that differ, in the order of ``before``; items of lists are matched by their place."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key not in after:
                yield Change(_join(path, key), "removed", before=value)
            else:
                yield from diff(value, after[key], _join(path, key))
        for key, value in after.items():
            if key not in before:
                yield Change(_join(path, key), "added", after=value)
    elif isinstance(before, list) and isinstance(after, list):
        for index, (old, new) in enumerate(zip(before, after, strict=False)):
            yield from diff(old, new, _join(path, index))
        for index in range(len(after), len(before)):
            yield Change(_join(path, index), "removed", before=before[index])
        for index in range(len(before), len(after)):
            yield Change(_join(path, index), "added", after=after[index])
    elif before != after or type(before) is not type(after):  # True is not 1, and 40 is not 40.0
        yield Change(path, "changed", before, after)


def _join(path: str, key: str | int) -> str:
    return f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
