"""A file without its near-duplicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from synth.curation.dedup import BATCH, Deduplicator
from synth.curation.reading import Row, read_rows
from synth.curation.writing import write_rows
from synth.errors import UsageError

_SHOWN = 5


@dataclass(slots=True)
class Deduplicated:
    """Rows by what became of them. ``examples`` are lines and texts dropped, ``unreadable`` lines and reasons."""

    kept: int = 0
    dropped: int = 0
    unreadable: int = 0
    without_text: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)


def deduplicate(source: Path, target: Path, name: str, deduplicator: Deduplicator) -> Deduplicated:
    """Write ``source`` to ``target`` without rows whose field ``name`` is near that of a row kept before.

    Rows without text there are kept. The file is replaced when all is read. Raises ``UsageError`` where no row has
    the field.
    """
    done = Deduplicated()

    def tell(line: int, fault: str) -> None:
        done.unreadable += "read as" not in fault
        if len(done.faults) < _SHOWN:
            done.faults.append((line, fault))

    with write_rows(target) as writer:
        rows = read_rows(source, tell)
        while batch := list(islice(rows, BATCH)):
            texts = [_text(row, name) for row in batch]
            verdicts = deduplicator.duplicates(texts)
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
    """The field's text; of ``messages`` everything that was said."""
    value = row.data.get(name)
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(_said(value))
    return "" if value is None else str(value)


def _said(messages: list[object]) -> Iterator[str]:
    for message in messages:
        content = message.get("content", message.get("value")) if isinstance(message, dict) else message
        if isinstance(content, str):
            yield content


def _refuse_if_absent(batch: list[Row], name: str, source: Path) -> None:
    if any(name in row.data for row in batch):
        return
    columns = list(dict.fromkeys(column for row in batch[:20] for column in row.data))
    raise UsageError(f"{source} has no field {name!r}", hint=f"give --field one of: {', '.join(columns)}")
