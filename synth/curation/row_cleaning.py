"""Rows made clean, a batch at a time: what of them is kept, and a tally of what was changed and dropped."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.curation.chats import NotAChat, to_chat
from synth.curation.cleaning import Dropped
from synth.curation.minhash import Banding, Signer
from synth.curation.reading import Row
from synth.curation.shingles import Hashes
from synth.curation.steps import Step, build_steps
from synth.curation.texts import all_texts, map_texts, texts_of, with_texts
from synth.diversity.words import read_aloud
from synth.messages import Json
from synth.recipe.cleaning import CleanSpec

SHOWN = 3
_LONG_NUMBER = re.compile(rb"[\s:,\[]-?\d{19,}[\s,}\]]")
_MOST_CHARACTERS = 200
"""Of an example: it is looked at on a terminal."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row that a step changed or dropped: where it stands, and its text before and after."""

    line: int
    before: str
    after: str = ""


@dataclass(slots=True)
class Tally:
    """``changed`` counts rows by step, ``dropped`` by reason; ``examples`` are the first few of either."""

    changed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def show(self, what: str, line: int, before: str, after: str = "") -> None:
        shown = self.examples.setdefault(what, [])
        if len(shown) < SHOWN:
            shown.append(Example(line, before[:_MOST_CHARACTERS], after[:_MOST_CHARACTERS]))

    def drop(self, reason: str, line: int, text: str) -> None:
        self.dropped[reason] += 1
        self.show(reason, line, text)

    def add(self, other: Tally) -> None:
        self.changed.update(other.changed)
        self.dropped.update(other.dropped)
        for what, examples in other.examples.items():
            mine = self.examples.setdefault(what, [])
            mine += examples[: SHOWN - len(mine)]


@dataclass(frozen=True, slots=True)
class CleanBatch:
    """The rows of a batch that are kept, their texts' bands where near-duplicates are looked for, and what was done."""

    rows: list[Row]
    bands: tuple[Hashes, NDArray[np.bool_]] | None
    tally: Tally


class RowCleaner:
    """Raises ``UsageError`` for extras, languages and files that are not there."""

    def __init__(self, spec: CleanSpec, base: Path) -> None:
        self._spec = spec
        self._steps = build_steps(spec, base)
        self._allowed = {name.casefold() for name in spec.license.allow} if spec.license is not None else None
        self._signer = Signer(Banding.choose(spec.dedup)) if spec.dedup is not None else None

    def clean(self, rows: Sequence[Row]) -> CleanBatch:
        """Each row on its own: which of those that are kept are near-duplicates is for whoever sees all batches."""
        tally = Tally()
        kept, texts = [], []
        for row in rows:
            clean = self._clean(row, tally)
            if clean is not None:
                kept.append(clean[0])
                texts.append(clean[1])
        bands = (
            self._signer.bands([read_aloud("\n".join(said)) for said in texts]) if self._signer is not None else None
        )
        return CleanBatch(kept, bands, tally)

    def _clean(self, row: Row, tally: Tally) -> tuple[Row, list[str]] | None:
        fields = self._spec.fields
        if row.raw is not None and _LONG_NUMBER.search(row.raw):
            row = Row(row.line, json.loads(row.raw), row.raw)  # orjson makes a whole number beyond 64 bits a float
        data = row.data
        before = texts = texts_of(data, fields)
        if self._allowed is not None and self._spec.license is not None:
            name = row.data.get(self._spec.license.field)
            if not isinstance(name, str) or name.casefold() not in self._allowed:
                tally.drop(f"of the licence {name!r}" if name else "without a licence", row.line, "\n".join(texts))
                return None
        for step in self._steps:
            looked_at = all_texts(self._chosen(data)) if step.private else texts
            try:
                after = step.mend(looked_at)
            except Dropped as dropped:
                text = dropped.detail or ("" if step.private else "\n".join(texts))
                tally.drop(dropped.message, row.line, text)
                return None
            if after != looked_at:
                tally.changed[step.name] += 1
                self._show(step, row.line, looked_at, after, tally)
                data = self._with_all(data, after) if step.private else with_texts(data, after, fields)
                texts = texts_of(data, fields)
        if not any(text and not text.isspace() for text in texts):
            tally.drop("no text", row.line, "\n".join(before))
            return None
        clean = row if data is row.data else Row(row.line, data, schema=row.schema)
        if self._spec.pii is not None and clean.raw is not None and _has_a_key_twice(clean.raw):
            clean = Row(row.line, data)  # only the last of them was looked at
        try:
            return (_as_chat(clean, tally) if self._spec.messages else clean), texts
        except NotAChat as error:
            reason = error.message if error.message.startswith("no chat") else f"no chat: {error.message}"
            tally.drop(reason, row.line, "\n".join(texts))
            return None

    def _chosen(self, data: Json) -> Json:
        return {name: value for name, value in data.items() if not self._spec.fields or name in self._spec.fields}

    def _with_all(self, data: Json, texts: Sequence[str]) -> Json:
        """``data`` with other ``texts``, as many as and in the order in which :func:`all_texts` gives them."""
        left = iter(texts)
        changed: Json = map_texts(self._chosen(data), lambda _: next(left))
        return data | changed

    @staticmethod
    def _show(step: Step, line: int, before: list[str], after: list[str], tally: Tally) -> None:
        """Around the first difference; of what is private only the text as it is now."""
        if len(tally.examples.get(step.name, ())) >= SHOWN:
            return
        old, new = next(pair for pair in zip(before, after, strict=True) if pair[0] != pair[1])
        same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        start = max(0, same - 20)
        tally.show(step.name, line, "" if step.private else old[start:], new[start:])


def _has_a_key_twice(line: bytes) -> bool:
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len(dict(pairs)) < len(pairs)

    json.loads(line, object_pairs_hook=look)
    return found


def _with_more(given: Any, messages: list[Json]) -> list[Json]:
    """With the ``name`` and ``weight`` that messages had where they are the same ones."""
    if not isinstance(given, list) or len(given) != len(messages):
        return messages
    return [
        message
        | {name: turn[name] for name in ("name", "weight") if isinstance(turn, dict) and turn.get(name) is not None}
        for message, turn in zip(messages, given, strict=True)
    ]


def _as_chat(row: Row, tally: Tally) -> Row:
    """The row with ``messages`` in OpenAI's form; the columns that it was read from make way. Raises ``NotAChat``."""
    chat = to_chat(row.data)
    for message in chat.messages:
        if message.role in {"user", "assistant"} and not message.tool_calls and not (message.content or "").strip():
            raise NotAChat(f"an empty message of the {message.role}")
    data = {name: value for name, value in row.data.items() if name not in chat.columns}
    data["messages"] = _with_more(row.data.get("messages"), [message.to_dict() for message in chat.messages])
    if chat.tools:
        data["tools"] = [tool.to_dict() for tool in chat.tools]
    if data == row.data:
        return row
    tally.changed["messages"] += 1
    tally.show("messages", row.line, str(row.data), f"{chat.messages[0].role}: {chat.messages[0].content}")
    return Row(row.line, data, schema=row.schema)
