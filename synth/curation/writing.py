"""Rows into JSONL, CSV or Parquet, also gzipped, as they come; the file is there when all of them are."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, cast

import orjson

from synth.curation.reading import Row, file_kind, import_pyarrow
from synth.errors import UsageError
from synth.files import cannot_write
from synth.messages import Json

_BATCH = 1000


class Writer(Protocol):
    """Takes rows one after the other."""

    def write(self, row: Row) -> None: ...


@contextmanager
def write_rows(path: Path) -> Iterator[Writer]:
    """A writer for ``path``, which is replaced when the block ends well and untouched when it does not.

    A row's ``raw`` line is written as it is where the file has one JSON object a line. Raises ``UsageError`` where a
    row does not fit in the columns of the first (CSV), or of the first thousand (Parquet).
    """
    kind = file_kind(path)
    if kind not in {".jsonl", ".csv", ".parquet"}:
        raise UsageError(f"{path}: synth writes .jsonl, .csv and .parquet, and .gz of the first two")
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            if kind == ".parquet":
                made = _Parquet(path, temporary)
                stack.callback(made.close)
                yield made
                made.flush()
            else:
                file: IO[bytes] = stack.enter_context(temporary.open("wb", buffering=1 << 20))
                if path.suffix.lower() == ".gz":
                    unnamed = gzip.GzipFile("", "wb", 6, file, mtime=0)
                    file = cast("IO[bytes]", stack.enter_context(unnamed))
                yield _Jsonl(file) if kind == ".jsonl" else _Csv(file, path)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


class _Jsonl:
    def __init__(self, file: IO[bytes]) -> None:
        self._write = file.write

    def write(self, row: Row) -> None:
        self._write((row.raw if row.raw is not None else orjson.dumps(row.data, default=str)) + b"\n")


class _Csv:
    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._columns: list[str] = []

    def write(self, row: Row) -> None:
        if not self._columns:
            self._columns = list(row.data)
            self._writer.writerow(self._columns)
        if row.data.keys() - set(self._columns):
            extra = ", ".join(sorted(row.data.keys() - set(self._columns)))
            raise UsageError(
                f"{self._path}: row {row.line} has the column {extra}, and the first row has not", hint="write .jsonl"
            )
        self._writer.writerow([_cell(row.data.get(name)) for name in self._columns])
        self._file.write(self._text.getvalue().encode("utf-8", "surrogatepass"))
        self._text.seek(0)
        self._text.truncate()


class _Parquet:
    def __init__(self, path: Path, temporary: Path) -> None:
        self._pyarrow, self._parquet = import_pyarrow(path)
        self._path, self._temporary = path, temporary
        self._rows: list[Json] = []
        self._writer: Any = None

    def write(self, row: Row) -> None:
        self._rows.append(row.data)
        if len(self._rows) == _BATCH:
            self.flush()

    def flush(self) -> None:
        if not self._rows and self._writer is not None:
            return
        schema = self._writer.schema if self._writer is not None else None
        try:
            table = self._pyarrow.Table.from_pylist(self._rows, schema=schema)
        except self._pyarrow.ArrowException as error:
            raise UsageError(
                f"{self._path}: rows of different types in one column: {str(error).splitlines()[0]}",
                hint="write .jsonl",
            ) from error
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(self._temporary, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._rows = []

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _cell(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
