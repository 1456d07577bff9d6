"""Generations: accepted examples become seeds of a later generator.

A generator takes seeds from one that stands before it in the recipe, when that one has made its whole count. So no
generation feeds itself, the depth is at most the number of generators, and which seeds a unit gets follows from the
accepted rows in plan order, at any concurrency and after any number of resumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from synth.errors import RunError
from synth.example import Seed
from synth.messages import Json

_NOT_FIELDS = frozenset(
    "id kind generator seed_id messages tools attributes scores lineage judgements prompt chosen rejected separates "
    "responses".split()
)


def seeds_from_rows(rows: Iterable[bytes], needs: Sequence[str], *, source: str, user: str) -> tuple[Seed, ...]:
    """Every dataset row of ``source`` as a seed for ``user``: those that have a value in all fields of ``needs``.

    A row's own columns are its fields; ``question`` is what the user said first, ``answer`` the final answer, or what
    the assistant said last. Raises ``RunError`` where no row can be used.
    """
    seeds = [_seed(orjson.loads(row)) for row in rows]
    usable = tuple(seed for seed in seeds if all(seed.fields.get(name) not in (None, "") for name in needs))
    if not usable:
        raise RunError(
            f"no accepted example of {source!r} can be a seed of {user!r}, which needs {', '.join(needs) or 'one'}",
            hint="look at its rows with `synth show`, and choose another seeds_from",
        )
    return usable


def _seed(row: Json) -> Seed:
    fields: dict[str, Any] = {name: value for name, value in row.items() if name not in _NOT_FIELDS}
    said = [(message["role"], message.get("content")) for message in row["messages"]]
    asked = next((text for role, text in said if role == "user" and text), None)
    answered = next((text for role, text in reversed(said) if role == "assistant" and text), None)
    if asked is not None:
        fields.setdefault("question", asked)
    if answered is not None:
        fields.setdefault("answer", answered)
    return Seed(row["id"], fields, ancestors=tuple(row["lineage"]["ancestors"]))
