"""A file made clean: every row through every step, near-duplicates out, and a report of all that was done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from synth.curation.band_table import BandTable
from synth.curation.dedup import BATCH, Banded
from synth.curation.minhash import Banding, Signer
from synth.curation.reading import Faults, Row, file_kind, read_rows
from synth.curation.row_cleaning import CleanBatch, RowCleaner, Tally
from synth.curation.row_workers import clean_in_workers
from synth.curation.texts import texts_of
from synth.curation.writing import write_rows
from synth.errors import UsageError
from synth.recipe.cleaning import CleanSpec

_WORTH_WORKERS = 16_000_000
"""Bytes of a file from which starting processes pays."""
_SLOW_WORTH_WORKERS = 500_000
"""The same where a step asks a model about every text."""


@dataclass(slots=True)
class Cleaned(Faults):
    """Rows read and kept, and what the steps did."""

    read: int = 0
    kept: int = 0
    tally: Tally = field(default_factory=Tally)


def clean_file(source: Path, target: Path, spec: CleanSpec, *, base: Path = Path(), workers: int = 1) -> Cleaned:
    """Write the rows of ``source`` to ``target``, their texts clean. ``spec``'s files are relative to ``base``.

    A row is dropped when a step drops one of its texts, when no text is left, or when it is near one that was kept.
    ``workers`` is how many processes a large file may take; what is written does not depend on it. Raises
    ``UsageError`` where no row has any of the fields.
    """
    done = Cleaned()
    with write_rows(target) as writer:
        batches = _batches(read_rows(source, done.tell), BATCH, spec, done)
        lines = file_kind(source) == file_kind(target) == ".jsonl"
        if workers > 1 and _is_large(source, spec):
            cleaned: Iterable[CleanBatch] = clean_in_workers(batches, spec, base.absolute(), workers, lines=lines)
        else:
            cleaned = map(RowCleaner(spec, base).clean, batches)
        for row in kept_rows(cleaned, spec, done):
            writer.write(row)
    return done


def kept_rows(cleaned: Iterable[CleanBatch], spec: CleanSpec, done: Cleaned) -> Iterator[Row]:
    """The rows that stay of clean ones, near-duplicates left out; ``done`` is kept up to date."""
    near = Banded(Signer(Banding.choose(spec.dedup)), BandTable()) if spec.dedup is not None else None
    for batch in cleaned:
        done.tally.add(batch.tally)
        again = near.decide(*batch.bands) if near is not None and batch.bands is not None else [False] * len(batch.rows)
        for row, duplicate in zip(batch.rows, again, strict=True):
            if duplicate:
                done.tally.drop("near-duplicate", row.line, "\n".join(texts_of(row.parsed(), spec.fields)))
                continue
            done.kept += 1
            yield row


def _batches(rows: Iterator[Row], size: int, spec: CleanSpec, done: Cleaned) -> Iterator[list[Row]]:
    found = not spec.fields
    while batch := list(islice(rows, size)):
        done.read += len(batch)
        found = found or any(name in row.data for row in batch for name in spec.fields)
        yield batch
    if not found and done.read:
        raise UsageError(f"no row has the field {' or '.join(map(repr, spec.fields))}", hint="name another field")


def _is_large(source: Path, spec: CleanSpec) -> bool:
    asks_a_model = spec.pii is not None or (spec.decontaminate is not None and spec.decontaminate.max_similarity)
    try:
        return source.stat().st_size > (_SLOW_WORTH_WORKERS if asks_a_model else _WORTH_WORKERS)
    except OSError:  # reading it says why
        return False
