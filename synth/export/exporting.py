"""A finished dataset in another format: converted, split and sharded, and what could not be carried over said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from math import ceil
from pathlib import Path

import orjson

from synth.curation.reading import read_rows
from synth.errors import UsageError
from synth.export.formats.base import CannotCarry
from synth.export.formats.registry import records_of
from synth.export.parquet import write_parquet
from synth.export.split import assign, group_of, on_more_sides
from synth.files import write_atomically
from synth.messages import Json
from synth.recipe.lock import read_lock

Rows = Callable[[], Iterator[Json]]
"""Gives the rows from the beginning, as often as it is called."""


@dataclass(slots=True)
class Exported:
    """What an export came to: the files with their rows, the rows left out by reason, and of a split the sides that
    no rows are on, and how many seeds are on more than one."""

    files: dict[Path, int] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    empty: list[str] = field(default_factory=list)
    on_both_sides: int = 0

    @property
    def written(self) -> int:
        return sum(self.files.values())


def dataset_rows(run_dir: Path) -> Rows:
    """The rows of a run folder's dataset; other files that lie there are none. Raises ``UsageError`` where a file of
    it is missing."""
    files = sorted((run_dir / "dataset").glob("*.jsonl"))
    again = "run its recipe again: it resumes, and writes the dataset when it ends"
    if not files:
        what = "is no folder" if not run_dir.is_dir() else "holds no dataset"
        raise UsageError(f"{run_dir} {what}", hint=again if (run_dir / "run.sqlite").exists() else "")
    if (lock := run_dir / "recipe.lock.yaml").exists():
        files = [run_dir / "dataset" / f"{spec['id']}.jsonl" for spec in read_lock(lock).recipe["generate"]]
        for path in files:
            if not path.is_file():
                raise UsageError(f"{path} is missing", hint=again)
    return lambda: chain.from_iterable(map(_rows_of, files))


def require_any(rows: Rows, message: str, hint: str) -> None:
    """Raise ``UsageError`` where there are no rows: an export of nothing must not replace an earlier one."""
    if next(rows(), None) is None:
        raise UsageError(message, hint=hint)


def require_records(rows: Rows, format_name: str) -> None:
    """Raise ``UsageError`` with the reasons where the format can hold none of ``rows``."""
    done = Exported()
    if next(_convert(rows(), format_name, done), None) is None:
        reasons = "; ".join(f"{count:,} rows left out: {reason}" for reason, count in done.left_out.most_common())
        raise UsageError(f"nothing can be written as {format_name}: {reasons}", hint="choose another --format")


def only_marked(rows: Rows, marks: Mapping[str, str], wanted: Container[str]) -> Rows:
    """Those of ``rows`` whose mark is wanted; ``none`` is the mark of a row that nobody has marked."""
    return lambda: (row for row in rows() if marks.get(row["id"], "none") in wanted)


def _rows_of(path: Path) -> Iterator[Json]:
    def refuse(line: int, fault: str) -> None:
        raise UsageError(f"{path}:{line}: {fault}", hint="was it edited by hand? run the recipe again to restore it")

    for row in read_rows(path, refuse):
        if not isinstance(row.data.get("messages"), list):
            refuse(row.line, "a dataset row has a list of messages")
        yield row.data


def export_rows(
    rows: Rows,
    format_name: str,
    to: Path,
    *,
    shares: Mapping[str, float] | None = None,
    shard_size: int | None = None,
    seed: int = 0,
) -> Exported:
    """Write ``rows`` to ``to``: a file, or with ``shares`` (split to share) or ``shard_size`` a folder of files.

    Every file is replaced whole. Raises ``UsageError`` where nothing can be written as asked, and where files of an
    earlier export would stay in the folder beside the new ones.
    """
    suffix = ".parquet" if format_name == "parquet" else ".jsonl"
    is_file = bool(to.suffix) and not to.is_dir()
    if str(to) == "-" or (is_file and to.suffix.lower() not in {".jsonl", ".parquet"}):
        raise UsageError(
            f"--to {to}: the format {format_name} is written as {suffix}",
            hint=f"name a {suffix} file, or a folder; one with a dot in its name must be there",
        )
    if is_file and (shares or shard_size):
        raise UsageError(f"--to {to} is one file, and splits and shards are many", hint="name a folder")
    if is_file and to.suffix.lower() != suffix:
        raise UsageError(f"--to {to}: the format {format_name} is written as {suffix}")
    done = Exported()
    sides = assign(rows(), shares, seed) if shares else None
    done.on_both_sides = on_more_sides(rows(), sides) if sides is not None else 0

    def converted(name: str, done: Exported) -> Iterator[Json]:
        return _convert((row for row in rows() if sides is None or sides[group_of(row)] == name), format_name, done)

    if is_file:
        _write(to, converted("", done), done)
        return done
    names = list(shares or ["data"])
    for name in names:
        if earlier := _earlier(to, name, suffix):
            new = [f"{name}{suffix}"]
            if shard_size is not None:
                shards = ceil(sum(1 for _ in converted(name, Exported())) / shard_size)
                new = [f"{name}-{number:05d}{suffix}" for number in range(shards)]
            _refuse_to_mix(to, earlier.difference(new))
    for name in names:
        if sides is not None and name not in sides.values():
            done.empty.append(name)
        records = converted(name, done)
        if shard_size is None:
            _write(to / f"{name}{suffix}", records, done)
            continue
        for number, first in enumerate(records):
            _write(to / f"{name}-{number:05d}{suffix}", chain([first], islice(records, shard_size - 1)), done)
    return done


def _earlier(folder: Path, name: str, suffix: str) -> set[str]:
    """The files there that an export has written under this name."""
    written = re.compile(rf"{name}(-\d{{5,}})?\{suffix}")
    return {path.name for path in folder.glob(f"{name}*{suffix}") if written.fullmatch(path.name)}


def _refuse_to_mix(folder: Path, left: set[str]) -> None:
    if left:
        more = f" and {len(left) - 1:,} more" if len(left) > 1 else ""
        raise UsageError(
            f"{folder / min(left)}{more} of an earlier export would stay beside the new files",
            hint="remove what is there, or name another folder",
        )


def _convert(rows: Iterator[Json], format_name: str, done: Exported) -> Iterator[Json]:
    for row in rows:
        try:
            yield from records_of(row, format_name)
        except CannotCarry as reason:
            done.left_out[reason.message] += 1


def _write(path: Path, records: Iterator[Json], done: Exported) -> None:
    def counted() -> Iterator[Json]:
        for record in records:
            done.files[path] += 1
            yield record

    done.files[path] = 0
    if path.suffix.lower() == ".parquet":
        write_parquet(path, counted())
    else:
        write_atomically(path, (orjson.dumps(record) + b"\n" for record in counted()))
