"""Dataset rows as Parquet, with the same columns whatever the rows hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from synth.curation.reading import import_pyarrow
from synth.files import cannot_write
from synth.messages import Json

_BATCH = 1000
_OWN = {"id", "kind", "generator", "seed_id", "messages", "tools", "attributes", "scores", "lineage"}


def write_parquet(path: Path, rows: Iterable[Json]) -> None:
    """Write whole dataset rows, replacing ``path`` when they are all there.

    ``messages`` is a list of structs. ``tools``, ``attributes``, ``scores``, ``lineage`` and ``extra`` (all further
    columns) are JSON texts: their keys differ from row to row. Raises ``UsageError`` without the extra ``parquet``.
    """
    pyarrow, parquet = import_pyarrow(path)
    schema, temporary = _schema(pyarrow), path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for batch in _batches(rows):
                writer.write_table(pyarrow.Table.from_pylist([_columns(row) for row in batch], schema=schema))
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):  # what is wrong with the path has been said
            temporary.unlink()


def _batches(rows: Iterable[Json]) -> Iterator[list[Json]]:
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _columns(row: Json) -> Json:
    columns: Json = {name: row.get(name) for name in ("id", "kind", "generator", "seed_id", "messages")}
    for name in ("tools", "attributes", "scores", "lineage"):
        columns[name] = orjson.dumps(row[name]).decode() if row.get(name) is not None else None
    extra = {name: value for name, value in row.items() if name not in _OWN}
    return columns | {"extra": orjson.dumps(extra).decode() if extra else None}


def _schema(pyarrow: Any) -> Any:
    text = pyarrow.string()
    function = pyarrow.struct([("name", text), ("arguments", text)])
    call = pyarrow.struct([("id", text), ("type", text), ("function", function)])
    message = pyarrow.struct(
        [
            ("role", text),
            ("content", text),
            ("reasoning_content", text),
            ("tool_calls", pyarrow.list_(call)),
            ("tool_call_id", text),
        ]
    )
    plain = [(name, text) for name in ("id", "kind", "generator", "seed_id")]
    more = [(name, text) for name in ("tools", "attributes", "scores", "lineage", "extra")]
    return pyarrow.schema([*plain, ("messages", pyarrow.list_(message)), *more])
