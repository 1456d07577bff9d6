"""Faults of the services behind the tools, injected at given rates so that agents learn to recover.

A fault depends on the environment's seed and the number of the call, and on nothing else, so a replay meets the same
ones. ``timeout``, ``rate_limited`` and ``not_found`` come instead of the call: nothing was done. ``malformed`` and
``partial`` spoil the answer of a call that was done.
"""

from __future__ import annotations

from typing import Any

import orjson

from synth.fingerprint import derive_seed
from synth.recipe.faults import FaultKind, FaultRates

_RANGE = float(1 << 63)
_INSTEAD: dict[str, str] = {
    "timeout": "timeout: the service did not answer within 30 seconds and nothing was done; try again",
    "rate_limited": "rate limited (429): too many requests; nothing was done; wait a moment and try again",
    "not_found": "not found (404): the service could not find it just now; if you are sure of the id, try once more",
}


def draw(rates: FaultRates, seed: int, number: int) -> FaultKind | None:
    """The fault that befalls call ``number`` of an environment with this seed."""
    if not rates:
        return None
    at = derive_seed(seed, "fault", number) / _RANGE
    for kind in sorted(rates):
        at -= rates[kind]
        if at < 0:
            return kind
    return None


def answer_instead(kind: FaultKind) -> str | None:
    """What the agent gets instead of a result; None for faults that befall the result."""
    said = _INSTEAD.get(kind)
    return None if said is None else orjson.dumps({"error": said}).decode()


def spoil(kind: FaultKind, content: str) -> str | None:
    """The result as it arrives after ``malformed`` or ``partial``; None where there is nothing to spoil."""
    if kind == "malformed":
        return content[: len(content) * 2 // 3] if len(content) >= 12 else None
    value = orjson.loads(content)
    kept = _first_half(value)
    if kept is None:
        return None
    warning = "partial result: the service sent only a part of it; ask again for the whole"
    return orjson.dumps({"warning": warning, "partial": kept}).decode()


def _first_half(value: Any) -> Any:
    if isinstance(value, list) and len(value) >= 2:
        return value[: len(value) // 2]
    if isinstance(value, dict):
        for key, inner in value.items():  # the list is what a page of results is about
            if isinstance(inner, list) and len(inner) >= 2:
                return {**value, key: inner[: len(inner) // 2]}
        if len(value) >= 3:
            return dict(list(value.items())[: len(value) // 2])
    return None
