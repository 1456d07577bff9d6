"""The lines that a run leaves: an accepted example, and an attempt that was not accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from synth.example import Attempt, Draft, Verdict, WorkUnit


def accepted_row(attempt: Attempt, draft: Draft, verdicts: tuple[Verdict, ...]) -> bytes:
    """A dataset line, without the line's end."""
    scores = dict(draft.scores) | {v.gate: v.score for v in verdicts if v.score is not None}
    row = _head(attempt.unit) | {"messages": [message.to_dict() for message in draft.messages]}
    if draft.tools:
        row["tools"] = [tool.to_dict() for tool in draft.tools]
    row |= {"attributes": _attributes(attempt.unit), "scores": scores}
    row |= {name: value for name, value in draft.extra.items() if name not in row} | _judgements(verdicts)
    lineage = attempt.lineage.to_dict() | {"gates": [verdict.gate for verdict in verdicts]}
    return orjson.dumps(row | {"lineage": lineage})


def rejected_row(attempt: Attempt, verdict: Verdict) -> bytes:
    """A line of ``rejected.jsonl``: the gate that said no, why, and all that there was to judge."""
    row = _head(attempt.unit) | {"gate": verdict.gate, "reason": verdict.reason, "score": verdict.score}
    row["text"] = attempt.text or (attempt.draft.text if attempt.draft else "")
    if attempt.draft is not None:
        row["messages"] = [message.to_dict() for message in attempt.draft.messages]
    if verdict.near:
        row["nearest"] = list(verdict.near)
    row |= _judgements(attempt.verdicts)
    row["attributes"] = _attributes(attempt.unit)
    return orjson.dumps(row | {"lineage": attempt.lineage.to_dict()})


def _judgements(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """By gate, what its judges said; no column where there are none."""
    said = {verdict.gate: verdict.judgement for verdict in verdicts if verdict.judgement is not None}
    return {"judgements": said} if said else {}


_SAID = {"user", "assistant"}
_SAYS_NOTHING = {"id", "tools"}


def text_of(row: Mapping[str, Any], field: str | None = None) -> str:
    """What a row says: ``field``, or its ``text``, or what user and assistant said, or all texts but id and tools."""
    if field is not None:
        return "" if (value := row.get(field)) is None else str(value)
    if isinstance(row.get("text"), str):
        return str(row["text"])
    if isinstance(messages := row.get("messages"), list):
        said = [one.get("content") for one in messages if isinstance(one, dict) and one.get("role") in _SAID]
        return "\n".join(text for text in said if isinstance(text, str))
    return "\n".join(value for name, value in row.items() if isinstance(value, str) and name not in _SAYS_NOTHING)


def _head(unit: WorkUnit) -> dict[str, Any]:
    return {
        "id": unit.id,
        "kind": unit.kind,
        "generator": unit.generator,
        "seed_id": unit.seed.id if unit.seed else None,
    }


def _attributes(unit: WorkUnit) -> dict[str, Any]:
    attributes = dict(unit.attributes)
    if unit.persona is not None:
        attributes["persona"] = unit.persona["id"]
    if unit.long_tail:
        attributes["long_tail"] = list(unit.long_tail)
    return attributes
