"""A file without its near-duplicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from synth.curation.dedup import BATCH, Deduplicator
from synth.curation.reading import Faults, Row, read_rows
from synth.curation.writing import write_rows
from synth.diversity.words import read_aloud
from synth.errors import UsageError

_SHOWN = 5


@dataclass(slots=True)
class Deduplicated(Faults):
    """Rows by what became of them. ``examples`` are lines and texts dropped."""

    kept: int = 0
    dropped: int = 0
    without_text: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)


def deduplicate(source: Path, target: Path, name: str, deduplicator: Deduplicator) -> Deduplicated:
    """Write ``source`` to ``target`` without rows whose field ``name`` is near that of a row kept before.

    Words are compared, and operators between numbers as the words they are read as: 12 + 7 is not 12 - 7. Rows
    without text there are kept. The file is replaced when all is read. Raises ``UsageError`` where no row has the
    field.
    """
    done = Deduplicated()
    with write_rows(target) as writer:
        rows = read_rows(source, done.tell)
        while batch := list(islice(rows, BATCH)):
            texts = [_text(row, name) for row in batch]
            verdicts = deduplicator.duplicates([read_aloud(text) for text in texts])
            for row, text, duplicate in zip(batch, texts, verdicts, strict=True):
                done.without_text += not text
                if not duplicate:
                    done.kept += 1
                    writer.write(row)
                    continue
                done.dropped += 1
                if len(done.examples) < _SHOWN:
                    done.examples.append((row.line, text))
            if done.without_text == done.kept + done.dropped:
                _refuse_if_absent(batch, name, source)
    return done


def _text(row: Row, name: str) -> str:
    """The field's text; of ``messages`` everything that was said, and the calls of tools."""
    value = row.data.get(name)
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(_said(value))
    return "" if value is None else str(value)


def _said(messages: list[Any]) -> Iterator[str]:
    """Also what is said in a list of parts."""
    for message in messages:
        if isinstance(message, str):
            yield message
        elif isinstance(message, dict):
            said = next((message[name] for name in ("content", "value", "text") if message.get(name)), None)
            yield from _said(said if isinstance(said, list) else [said])
            calls = message.get("tool_calls")
            functions = [call.get("function") for call in calls if isinstance(call, dict)] if calls else []
            yield from (f"{call.get('name')} {call.get('arguments')}" for call in functions if isinstance(call, dict))


def _refuse_if_absent(batch: list[Row], name: str, source: Path) -> None:
    if any(name in row.data for row in batch):
        return
    columns = list(dict.fromkeys(column for row in batch[:20] for column in row.data))
    raise UsageError(f"{source} has no field {name!r}", hint=f"give --field one of: {', '.join(columns)}")
