"""Reads the seeds a recipe names, and says of every row that cannot be used where it is and why."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from synth.errors import Problem, RecipeError, UsageError
from synth.example import Seed
from synth.messages import Json
from synth.recipe.problems import did_you_mean
from synth.recipe.schema import SeedsSpec

MAX_FIELD_BYTES = 200_000
MAX_LINE_BYTES = 16_000_000
MAX_PROBLEMS = 20


def read_seeds(spec: SeedsSpec, base: Path) -> tuple[Seed, ...]:
    """The rows of ``spec.path`` (relative to ``base``) in their order, columns renamed, at most ``spec.limit``.

    A seed's id is its ``id`` column's value, else ``seed-000001`` by row. Text in a CSV file stays text.
    Raises ``RecipeError`` for what is wrong in the file, ``UsageError`` when Parquet cannot be read here.
    """
    seeds, file = _read(spec, base)
    file.raise_problems()
    return seeds


def read_what_can_be(spec: SeedsSpec, base: Path) -> tuple[tuple[Seed, ...], list[Problem]]:
    """As :func:`read_seeds`; what is wrong in the file beside the seeds that could be read, to be said with more."""
    seeds, file = _read(spec, base)
    return seeds, file.problems


def _read(spec: SeedsSpec, base: Path) -> tuple[tuple[Seed, ...], _SeedsFile]:
    file = _SeedsFile(base / spec.path)
    rows: list[tuple[int, Json]] = []
    for line, row in file.rows():
        rows.append((line, row))
        if len(rows) == spec.limit:
            break
    if not rows and not file.problems:
        file.report(0, "there are no seeds in this file")
    _check_columns(file, rows, spec)

    seeds: list[Seed] = []
    first_line: dict[str, int] = {}
    for number, (line, row) in enumerate(rows, 1):
        _check_size(file, line, row)
        fields = _rename(row, spec.fields)
        seed_id = fields.get("id")
        if seed_id is None:
            seed_id = f"seed-{number:06d}"
        elif isinstance(seed_id, bool) or not isinstance(seed_id, str | int) or not str(seed_id).strip():
            file.report(line, f"the id must be text or a number, got {_shown(seed_id)}")
        seed_id = str(seed_id)
        if seed_id in first_line:
            file.report(line, f"the id {seed_id!r} is taken: line {first_line[seed_id]} has it", "ids must be unique")
        first_line.setdefault(seed_id, line)
        seeds.append(Seed(seed_id, fields, line))
    return tuple(seeds), file


@dataclass(frozen=True, slots=True)
class Need:
    """A field that every seed must have, and who needs it (``generate.0 (cot)``)."""

    field: str
    used_by: str
    may_be_empty: bool = False
    may_be_missing: bool = False
    """Because whoever reads the seeds says so."""


def require_fields(seeds: Sequence[Seed], needs: Iterable[Need], *, file: Path, wrong: Iterable[Problem] = ()) -> None:
    """Check that seeds read from ``file`` have what is needed. Raises ``RecipeError`` with every line at fault, and
    with what was ``wrong`` in the file before."""
    checked = _SeedsFile(file)
    checked.problems += wrong
    for need in needs:
        name = need.field
        lacking = [seed for seed in seeds if _lacks(seed, need)]
        if lacking and not any(name in seed.fields for seed in seeds):
            hint = did_you_mean(name, seeds[0].fields, "the columns are")
            hint += f"; rename one with seeds: {{fields: {{{name}: its name}}}}"
            checked.report(lacking[0].line, f"no seed has the field {name!r}, needed by {need.used_by}", hint)
            continue
        for seed in lacking:
            what = "is missing" if name not in seed.fields else "is null" if seed.fields[name] is None else "is empty"
            checked.report(seed.line, f"the field {name!r} {what}, needed by {need.used_by}")
    checked.raise_problems()


def _lacks(seed: Seed, need: Need) -> bool:
    if need.field not in seed.fields:
        return not need.may_be_missing
    return not need.may_be_empty and _is_blank(seed.fields[need.field])


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


class _SeedsFile:
    """One file of seeds, and what is wrong with it so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def report(self, line: int, message: str, hint: str = "", column: int = 1) -> None:
        if line and self.path.suffix == ".parquet":
            self.problems.append(Problem(str(self.path), 0, 0, f"row {line}: {message}", hint))
        else:
            self.problems.append(Problem(str(self.path), line, column if line else 0, message, hint))

    def raise_problems(self) -> None:
        if not self.problems:
            return
        self.problems.sort(key=lambda problem: (problem.line, problem.column))
        shown, more = self.problems[:MAX_PROBLEMS], len(self.problems) - MAX_PROBLEMS
        if more > 0:
            shown.append(Problem(str(self.path), 0, 0, f"and {more:,} more"))
        raise RecipeError(shown)

    def rows(self) -> Iterator[tuple[int, Json]]:
        """Each row that can be read, with its line; for Parquet, with its number."""
        readers = {".jsonl": self._jsonl, ".json": self._json, ".csv": self._csv, ".parquet": self._parquet}
        reader = readers.get(self.path.suffix.lower())
        if reader is None:
            self.report(0, f"seeds are .jsonl, .json, .csv or .parquet, not {self.path.suffix or 'without a suffix'!r}")
            return
        try:
            if self.path.is_file() and self.path.stat().st_size == 0:
                self.report(0, "the file is empty")
                return
            yield from reader()
        except FileNotFoundError:
            self.report(0, "there is no such file of seeds", "seeds.path is relative to the recipe")
        except IsADirectoryError:
            self.report(0, "this is a folder, not a file of seeds")
        except OSError as error:
            self.report(0, f"cannot be read: {error.strerror}")

    def _lines(self) -> Iterator[tuple[int, str]]:
        with self.path.open("rb") as file:
            number = 0
            while content := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(content) > MAX_LINE_BYTES:
                    self.report(number, f"this line has more than {MAX_LINE_BYTES // 1_000_000} MB: it is no seed")
                    return
                try:
                    yield number, content.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    column = len(content[: error.start].decode()) + 1
                    hint = "save the file as UTF-8"
                    if number == 1 and content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
                        self.report(1, "this is UTF-16, not UTF-8 text", hint)
                        return
                    self.report(number, f"the byte 0x{content[error.start]:02X} is not UTF-8 text", hint, column)

    def _jsonl(self) -> Iterator[tuple[int, Json]]:
        for line, text in self._lines():
            if not text.strip():
                continue
            try:
                row = orjson.loads(text.rstrip())
            except orjson.JSONDecodeError as error:
                self.report(line, f"broken JSON: {error.msg}", "each line is one JSON object", error.colno)
                continue
            if isinstance(row, dict):
                yield line, row
            else:
                self.report(line, f"a seed is a JSON object, and this is {_shown(row)}")

    def _json(self) -> Iterator[tuple[int, Json]]:
        text = "".join(line for _, line in self._lines())
        if self.problems:
            return
        decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        position = _skip_space(text, 0)
        if text[position : position + 1] != "[":
            self.report(1, "a .json file of seeds is a list of objects: [{…}, {…}]")
            return
        position = _skip_space(text, position + 1)
        line, counted = 1, 0
        try:
            while text[position : position + 1] != "]":
                line += text.count("\n", counted, position)
                counted = position
                row, position = decoder.raw_decode(text, position)
                if isinstance(row, dict):
                    yield line, row
                else:
                    self.report(line, f"a seed is a JSON object, and this is {_shown(row)}")
                position = _skip_space(text, position)
                if text[position : position + 1] == ",":
                    position = _skip_space(text, position + 1)
                elif text[position : position + 1] != "]":
                    raise json.JSONDecodeError("Expecting ',' or ']'", text, position)
        except json.JSONDecodeError as error:
            self.report(error.lineno, f"broken JSON: {error.msg}", column=error.colno)
        except (RecursionError, ValueError) as error:
            self.report(line, f"broken JSON: {error}")

    def _csv(self) -> Iterator[tuple[int, Json]]:
        csv.field_size_limit(MAX_LINE_BYTES)  # its own limit could not say which field is too long
        reader = csv.reader((text for _, text in self._lines()), strict=True)
        header: list[str] | None = None
        line = 1
        try:
            for cells in reader:
                if header is None:
                    header = [name.strip() for name in cells]
                    twice = {name for name in header if header.count(name) > 1}
                    if twice:
                        self.report(line, f"the header names the column {min(twice)!r} twice")
                        return
                elif len(cells) == len(header):
                    yield line, dict(zip(header, cells, strict=True))
                elif cells:
                    self.report(line, f"this row has {len(cells)} fields, and the header has {len(header)}")
                line = reader.line_num + 1
        except csv.Error as error:
            self.report(line, f"broken CSV in the row that starts here: {error}")

    def _parquet(self) -> Iterator[tuple[int, Json]]:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise UsageError(
                f"reading {str(self.path)!r} needs pyarrow", hint="pip install 'synth[parquet]', or use .jsonl"
            ) from error
        number = 0
        try:
            with parquet.ParquetFile(self.path) as file:
                names = file.schema_arrow.names
                twice = {name for name in names if names.count(name) > 1}
                if twice:
                    self.report(0, f"there are two columns of the name {min(twice)!r}")
                    return
                for batch in file.iter_batches(batch_size=1000):
                    for row in batch.to_pylist():
                        number += 1
                        yield number, {name: _plain(value) for name, value in row.items()}
        except pyarrow.ArrowException as error:
            self.report(0, f"not a Parquet file that can be read: {str(error).splitlines()[0]}")
        except (OverflowError, ValueError) as error:
            hint = "correct it, or make the column text"
            self.report(number + 1, f"from here on there is a date or time that Python cannot hold: {error}", hint)


def _check_columns(file: _SeedsFile, rows: list[tuple[int, Json]], spec: SeedsSpec) -> None:
    for name, column in spec.fields.items():
        lacking = [line for line, row in rows if column not in row]
        if not lacking:
            continue
        hint = did_you_mean(column, rows[0][1], "columns")
        if len(lacking) == len(rows):
            file.report(lacking[0], f"there is no column {column!r}, which seeds.fields.{name} names", hint)
            continue
        for line in lacking:
            file.report(line, f"this row has no {column!r}, which seeds.fields.{name} names")


def _rename(row: Json, fields: dict[str, str]) -> Json:
    taken = {*fields, *fields.values()}
    renamed = {name: row[column] for name, column in fields.items() if column in row}
    return renamed | {column: value for column, value in row.items() if column not in taken}


def _check_size(file: _SeedsFile, line: int, row: Json) -> None:
    try:
        if len(orjson.dumps(row)) <= MAX_FIELD_BYTES:
            return
        sizes = {name: len(orjson.dumps(value)) for name, value in row.items()}
    except orjson.JSONEncodeError as error:
        file.report(line, f"this row holds what JSON cannot: {error}")
        return
    for name, size in sizes.items():
        if size > MAX_FIELD_BYTES:
            message = f"the field {name!r} has {size // 1000:,} kB, and a seed's field has at most 200 kB"
            file.report(line, message)


def _plain(value: Any) -> Any:
    """What Parquet knows and JSON does not, as text; not-a-number as null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value != value:
        return None
    return value if isinstance(value, str | int | float | bytes | None) else str(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
