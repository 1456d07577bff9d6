"""A file made clean: every text through every step, near-duplicates out, and a report of all that was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from synth.curation.cleaning import Dropped, Step
from synth.curation.dedup import BATCH, Deduplicator
from synth.curation.reading import Row, read_rows
from synth.curation.writing import write_rows
from synth.errors import UsageError

_SHOWN = 3


@dataclass(slots=True)
class Cleaned:
    """Rows read and kept. ``changed`` counts rows by step, ``dropped`` by reason, ``examples`` (line, before, after)
    by either."""

    read: int = 0
    kept: int = 0
    unreadable: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def show(self, what: str, line: int, before: str, after: str) -> None:
        shown = self.examples.setdefault(what, [])
        if len(shown) < _SHOWN:
            shown.append((line, before, after))


def clean_file(
    source: Path,
    target: Path,
    steps: Mapping[str, Step],
    *,
    fields: Sequence[str] = (),
    deduplicator: Deduplicator | None = None,
) -> Cleaned:
    """Write the rows of ``source`` to ``target``, their texts clean. No ``fields``: every text in a row, also in lists.

    A row is dropped when a step drops one of its texts, when no text is left, or when ``deduplicator`` knows it.
    Raises ``UsageError`` where no row has any of the fields.
    """
    done = Cleaned()

    def tell(line: int, fault: str) -> None:
        done.unreadable += "read as" not in fault
        if len(done.faults) < _SHOWN:
            done.faults.append((line, fault))

    found = False
    with write_rows(target) as writer:
        rows = read_rows(source, tell)
        while batch := list(islice(rows, BATCH)):
            done.read += len(batch)
            found = found or not fields or any(name in row.data for row in batch for name in fields)
            clean = [row for row in (_clean_row(row, steps, fields, done) for row in batch) if row is not None]
            texts = ["\n".join(_texts(row.data, fields)) for row in clean]
            again = deduplicator.duplicates(texts) if deduplicator is not None else [False] * len(texts)
            for row, text, duplicate in zip(clean, texts, again, strict=True):
                if duplicate:
                    done.dropped["near-duplicate"] += 1
                    done.show("near-duplicate", row.line, text, "")
                    continue
                done.kept += 1
                writer.write(row)
        if not found and done.read:
            raise UsageError(f"{source} has no field {' or '.join(map(repr, fields))}", hint="see --field")
    return done


def _clean_row(row: Row, steps: Mapping[str, Step], fields: Sequence[str], done: Cleaned) -> Row | None:
    data: dict[str, Any] = row.data
    for name, step in steps.items():
        try:
            after = {key: _apply(value, step) if not fields or key in fields else value for key, value in data.items()}
        except Dropped as dropped:
            done.dropped[dropped.message] += 1
            done.show(dropped.message, row.line, "\n".join(_texts(data, fields)), "")
            return None
        if after != data:
            done.changed[name] += 1
            before, now = _texts(data, fields), _texts(after, fields)
            first = next((pair for pair in zip(before, now, strict=True) if pair[0] != pair[1]), ("", ""))
            done.show(name, row.line, *first)
        data = after
    if not any(text.strip() for text in _texts(data, fields)):
        done.dropped["no text"] += 1
        done.show("no text", row.line, "\n".join(_texts(row.data, fields)), "")
        return None
    return row if data == row.data else Row(row.line, data)


def _apply(value: Any, step: Step) -> Any:
    if isinstance(value, str):
        return step(value)
    if isinstance(value, list):
        return [_apply(item, step) for item in value]
    if isinstance(value, dict):
        # Of a message only what was said: roles, names and ids are no texts.
        said = {"content", "value"} & value.keys()
        return {key: _apply(item, step) if not said or key in said else item for key, item in value.items()}
    return value


def _texts(data: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    found: list[str] = []

    def collect(text: str) -> str:
        found.append(text)
        return text

    for key, value in data.items():
        if not fields or key in fields:
            _apply(value, collect)
    return found
