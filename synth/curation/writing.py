"""Rows into JSONL, CSV or Parquet, also gzipped, as they come; the file is there when all of them are."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol, cast

import orjson

from synth.curation.reading import Row, file_kind, import_pyarrow
from synth.errors import UsageError
from synth.files import cannot_write, refuse_file_of_a_run

_BATCH = 1000

_Shape = dict[str, Any] | list[Any] | None
"""The names that a Parquet type has places for: those of an object, a list of these for a list, else nothing."""


class Writer(Protocol):
    """Takes rows one after the other."""

    def write(self, row: Row) -> None: ...


@contextmanager
def write_rows(path: Path) -> Iterator[Writer]:
    """A writer for ``path``, which is replaced when the block ends well and untouched when it does not.

    A row's ``raw`` line is written as it is where the file has one JSON object a line. Parquet has the columns of the
    first thousand rows, of the types they had in the Parquet file that they were read from where they still fit these.
    Raises ``UsageError`` where a row does not fit in the columns of the first (CSV), or of the first thousand
    (Parquet), where a column holds bytes and the file is text, and for a file that a run keeps in its folder.
    """
    kind = ""
    with suppress(UsageError):  # it speaks of reading
        kind = file_kind(path)
    if kind not in {".jsonl", ".csv", ".parquet"}:
        raise UsageError(f"{path}: synth writes .jsonl, .csv and .parquet, and .gz of the first two")
    refuse_file_of_a_run(path)
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
                yield _Jsonl(file, path) if kind == ".jsonl" else _Csv(file, path)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


class _Jsonl:
    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._write, self._path = file.write, path

    def write(self, row: Row) -> None:
        try:
            self._write((row.raw if row.raw is not None else to_json(row.data)) + b"\n")
        except orjson.JSONEncodeError as error:
            raise _no_text(self._path, row) from error


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
        try:
            self._writer.writerow([_cell(row.data.get(name)) for name in self._columns])
        except orjson.JSONEncodeError as error:
            raise _no_text(self._path, row) from error
        self._file.write(self._text.getvalue().encode("utf-8", "surrogatepass"))
        self._text.seek(0)
        self._text.truncate()


class _Parquet:
    def __init__(self, path: Path, temporary: Path) -> None:
        self._pyarrow, self._parquet = import_pyarrow(path)
        self._path, self._temporary = path, temporary
        self._rows: list[Row] = []
        self._schema: Any = None
        self._shapes: dict[str, _Shape] = {}
        self._writer: Any = None

    def write(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) == _BATCH:
            self.flush()

    def flush(self) -> None:
        if not self._rows and self._writer is not None:
            return
        if self._schema is None:
            self._schema = self._columns()
            self._shapes = {field.name: self._shape(field.type) for field in self._schema}
        for row in self._rows:
            if extra := _outside(row.data, self._shapes):
                raise UsageError(
                    f"{self._path}: row {row.line} has the column {extra}, and the first {_BATCH:,} rows have not",
                    hint="write .jsonl",
                )
        arrays = [self._array(field.name, field.type) for field in self._schema]
        table = self._pyarrow.Table.from_arrays(arrays, schema=self._schema)
        try:
            if self._writer is None:
                self._writer = self._parquet.ParquetWriter(self._temporary, self._schema, compression="zstd")
            self._writer.write_table(table)
        except self._pyarrow.ArrowException as error:
            told = str(error).splitlines()[0]
            raise UsageError(f"{self._path}: Parquet cannot hold these rows: {told}", hint="write .jsonl") from error
        self._rows = []

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _columns(self) -> Any:
        """The columns of the rows at hand, as they were where these were read if they fit there, else as they are."""
        source = self._rows[0].schema if self._rows else None
        fields = []
        for name in dict.fromkeys(name for row in self._rows for name in row.data):
            known = source.field(name) if source is not None and name in source.names else None
            if known is not None and self._fits(name, known.type):
                fields.append(known)
            else:
                kind = self._filled(self._array(name).type)
                fields += [self._pyarrow.field(name, kind)] if kind is not None else []
        same = source is not None and fields == list(source)
        return source if same else self._pyarrow.schema(fields)

    def _fits(self, name: str, kind: Any) -> bool:
        shape = {name: self._shape(kind)}
        if any(_outside({name: row.data.get(name)}, shape) for row in self._rows):
            return False
        try:
            self._array(name, kind)
        except UsageError:
            return False
        return True

    def _array(self, name: str, kind: Any = None) -> Any:
        try:
            return self._pyarrow.array([row.data.get(name) for row in self._rows], kind)
        except (self._pyarrow.ArrowException, OverflowError, UnicodeEncodeError) as error:
            raise UsageError(
                f"{self._path}: rows of different types in the column {name!r}: {str(error).splitlines()[0]}",
                hint="write .jsonl",
            ) from error

    def _filled(self, kind: Any) -> Any:
        """The type with text wherever no value says what it is; None for an object without names, which Parquet has
        not."""
        types = self._pyarrow.types
        if types.is_null(kind):
            return self._pyarrow.string()
        if types.is_list(kind):
            inner = self._filled(kind.value_type)
            return None if inner is None else self._pyarrow.list_(inner)
        if types.is_struct(kind):
            filled = [(field.name, self._filled(field.type)) for field in kind]
            fields = [(name, inner) for name, inner in filled if inner is not None]
            return self._pyarrow.struct(fields) if fields else None
        return kind

    def _shape(self, kind: Any) -> _Shape:
        types = self._pyarrow.types
        if types.is_struct(kind):
            return {field.name: self._shape(field.type) for field in kind}
        if types.is_list(kind) or types.is_large_list(kind):
            inner = self._shape(kind.value_type)
            return None if inner is None else [inner]
        return None


def _outside(value: Any, shape: _Shape) -> str:
    """The first name within ``value`` that has no place in ``shape``; nothing where all have one, or no value."""
    if isinstance(value, dict) and isinstance(shape, dict):
        for name, inner in value.items():
            if name not in shape and inner not in (None, {}):
                return str(name)
            if found := _outside(inner, shape.get(name)):
                return f"{name}.{found}"
    elif isinstance(value, list) and isinstance(shape, list):
        for item in value:
            if found := _outside(item, shape[0]):
                return found
    return ""


def to_json(value: Any) -> bytes:
    """As JSON, dates and decimal numbers as texts. Raises ``JSONEncodeError`` for bytes."""
    try:
        return orjson.dumps(value, default=_text)
    except orjson.JSONEncodeError as error:
        if "64-bit" not in str(error):
            raise
        return json.dumps(value, default=_text, ensure_ascii=False, separators=(",", ":")).encode()


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        raise TypeError("bytes are no text")
    return str(value)


def _cell(value: Any) -> Any:
    return to_json(value).decode() if isinstance(value, dict | list | bytes) else value


def _no_text(path: Path, row: Row) -> UsageError:
    """The one message for a row that text cannot hold: it names the first column at fault."""
    for name, value in row.data.items():
        try:
            to_json(value)
        except orjson.JSONEncodeError as error:
            return UsageError(
                f"{path}: row {row.line}: the column {name!r} cannot be text: {error}",
                hint="write .parquet, or leave the column out",
            )
    return UsageError(f"{path}: row {row.line} cannot be text")
