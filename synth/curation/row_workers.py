"""Rows cleaned by several processes at once, in their order."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from synth.curation.reading import Row
from synth.curation.row_cleaning import CleanBatch, RowCleaner
from synth.curation.writing import to_json
from synth.recipe.cleaning import CleanSpec

_AHEAD = 2
"""Batches that wait for each process: it is never idle, and memory stays bounded."""


def clean_in_workers(
    batches: Iterable[list[Row]], spec: CleanSpec, base: Path, workers: int, *, lines: bool
) -> Iterator[CleanBatch]:
    """What :meth:`RowCleaner.clean` gives for each batch, in order. ``lines``: rows come and go as lines of JSON, which
    travel between processes faster; those that come back are not parsed."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin, (spec.model_dump(), base)) as pool:
        waiting: deque[Future[CleanBatch]] = deque()
        try:
            for batch in batches:
                packed = [Row(row.line, {}, row.raw) for row in batch] if lines else batch
                waiting.append(pool.submit(_clean, packed, lines))
                if len(waiting) >= workers * (1 + _AHEAD):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


_made: list[RowCleaner | Exception] = []
"""This process's cleaner, or why there is none; in a list, since a process is begun before it is asked."""


def _begin(spec: dict[str, object], base: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that reads and writes ends the others
    try:
        _made.append(RowCleaner(CleanSpec.model_validate(spec), base))
    except Exception as error:  # noqa: BLE001 - raised where the rows are asked for: here it would only break the pool
        _made.append(error)


def _clean(rows: list[Row], lines: bool) -> CleanBatch:
    cleaner = _made[0]
    if isinstance(cleaner, Exception):
        raise cleaner
    if not lines:
        return cleaner.clean(rows)
    done = cleaner.clean([Row(row.line, row.parsed(), row.raw) for row in rows])
    raw = [Row(row.line, {}, row.raw if row.raw is not None else to_json(row.data)) for row in done.rows]
    return CleanBatch(raw, done.bands, done.tally)
