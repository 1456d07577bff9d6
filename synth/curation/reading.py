"""Rows out of JSONL, JSON, CSV, Parquet and plain text, also gzipped, one after the other: files may exceed memory.

A row that cannot be read is told of with its line and reason, and the rows after it are read all the same.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Any

import orjson

from synth.curation.roles import LOG_LINE
from synth.errors import UsageError
from synth.messages import Json

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".txt", ".html")
MAX_LINE_BYTES = 64_000_000
_DASHES = re.compile("[-=*_]{3,}")
_MAX_RATIO = 200
_RATIO_COUNTS_FROM = 64_000_000
_SHOWN = 3

Tell = Callable[[int, str], None]
"""Takes the line (from 1; in Parquet the row) and what is wrong with it."""


@dataclass(slots=True)
class Faults:
    """What :func:`read_rows` told: how many lines could not be read, how many were read as Windows-1252, which is a
    guess, and the first few of either."""

    unreadable: int = 0
    guessed: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)

    def tell(self, line: int, fault: str) -> None:
        guess = is_guess(fault)
        self.guessed += guess
        self.unreadable += not guess
        if (self.guessed if guess else self.unreadable) <= _SHOWN:
            self.faults.append((line, fault))

    @property
    def counted(self) -> str:
        """To go on with after what was read; nothing where all was read as it is."""
        words = f", {self.unreadable:,} lines could not be read" if self.unreadable else ""
        return words + (f", {self.guessed:,} lines are not UTF-8: read as Windows-1252" if self.guessed else "")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``raw`` is the line it stood on, without its end, where the file has one JSON object a line; ``schema``
    is the Parquet file's (pyarrow's) where it is one."""

    line: int
    data: Json
    raw: bytes | None = None
    schema: Any = None

    def parsed(self) -> Json:
        """The data, also of a row that is its line alone."""
        return self.data or (orjson.loads(self.raw) if self.raw is not None else {})


def file_kind(path: Path) -> str:
    """The suffix that says how a file is read, ``.gz`` aside. Raises ``UsageError`` for one that is not known."""
    suffix = (Path(path.stem) if path.suffix.lower() == ".gz" else path).suffix.lower()
    suffix = {".ndjson": ".jsonl", ".pq": ".parquet", ".log": ".txt", ".md": ".txt", ".htm": ".html"}.get(
        suffix, suffix
    )
    if suffix not in SUFFIXES:
        raise UsageError(f"{path}: synth reads {', '.join(SUFFIXES)}, and .gz of these", hint="rename or convert it")
    return suffix


def read_rows(path: Path, tell: Tell) -> Iterator[Row]:
    """The rows of ``path`` in their order; ``tell`` hears of each that cannot be read.

    Text files give rows with the one field ``text``: one for each line; where the first begins with ``role:``, as in a
    log of chats, one for all lines up to a line of dashes or two empty ones. An HTML file is one row. Raises
    ``UsageError`` where the file as a whole cannot be read: it is not there, is no Parquet, is a gzip bomb, is UTF-16,
    has two columns of one name, or has rows and none of them can be read.
    """
    kind = file_kind(path)
    if kind == ".parquet":
        yield from _parquet(path)
        return
    read, broken = 0, list[tuple[int, str]]()

    def hear(line: int, fault: str) -> None:
        if not broken and not is_guess(fault):
            broken.append((line, fault))
        tell(line, fault)

    for row in _of_text(path, kind, hear):
        read += 1
        yield row
    for line, fault in broken:
        if not read:
            raise UsageError(f"{path}: none of its rows can be read; line {line}: {fault}", hint="look at the file")


def is_guess(fault: str) -> bool:
    """Whether the line was read all the same, by a guess."""
    return "read as" in fault


def _of_text(path: Path, kind: str, tell: Tell) -> Iterator[Row]:
    try:
        with path.open("rb") as file:
            compressed = path.suffix.lower() == ".gz"
            stream = io.BufferedReader(_Unzipped(file, path), 1 << 20) if compressed else file
            if stream.peek(2)[:2] in {b"\xff\xfe", b"\xfe\xff"}:
                raise UsageError(f"{path} is UTF-16, not UTF-8 text", hint="save it as UTF-8")
            match kind:
                case ".jsonl":
                    yield from _jsonl(stream, tell)
                case ".csv":
                    yield from _csv(stream, path, tell)
                case ".json":
                    yield from _json(stream, path, tell)
                case ".html":
                    content = stream.read(MAX_LINE_BYTES + 1)
                    if len(content) > MAX_LINE_BYTES:
                        raise UsageError(f"{path}: an .html file is read whole, and this has more than 64 MB")
                    yield Row(1, {"text": decode(content, 1, tell)})
                case _:
                    yield from _texts(stream, tell)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder, not a file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(f"{path} is no whole gzip file: {error}", hint="copy it again") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def decode(content: bytes, line: int, tell: Tell) -> str:
    """UTF-8, else Windows-1252: what older tools write. It is told, since it is a guess."""
    if line == 1:
        content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        tell(line, f"the byte 0x{content[error.start]:02X} is not UTF-8: read as Windows-1252")
        return content.decode("cp1252", "replace")


def _lines(stream: IO[bytes], tell: Tell) -> Iterator[tuple[int, bytes]]:
    number = 0
    while content := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(content) > MAX_LINE_BYTES:
            while content and not content.endswith(b"\n"):
                content = stream.readline(MAX_LINE_BYTES)
            tell(number, f"the line has more than {MAX_LINE_BYTES // 1_000_000} MB")
            continue
        yield number, content


def _texts(stream: IO[bytes], tell: Tell) -> Iterator[Row]:
    lines = ((line, decode(content, line, tell).rstrip("\r\n")) for line, content in _lines(stream, tell))
    first = next(((line, text) for line, text in lines if text.strip()), None)
    if first is None:
        return
    together = chain([first], lines)
    if LOG_LINE.match(first[1]):
        yield from _chats(together)
    else:
        yield from (Row(line, {"text": text}) for line, text in together if text.strip())


def _chats(lines: Iterable[tuple[int, str]]) -> Iterator[Row]:
    begin, chat, empty = 0, list[str](), 0
    for line, text in lines:
        empty = 0 if text.strip() else empty + 1
        dashes = _DASHES.fullmatch(text.strip()) is not None
        if chat and (empty == 2 or dashes):
            yield Row(begin, {"text": "\n".join(chat).strip()})
            chat = []
        elif (text.strip() and not dashes) or chat:
            begin = begin if chat else line
            chat.append(text)
    if chat:
        yield Row(begin, {"text": "\n".join(chat).strip()})


def _jsonl(stream: IO[bytes], tell: Tell) -> Iterator[Row]:
    loads = orjson.loads
    for line, content in _lines(stream, tell):
        raw = content.rstrip(b"\r\n")
        if line == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if not raw or raw.isspace():
            continue
        try:
            data = loads(raw)
        except orjson.JSONDecodeError as error:
            try:
                raw.decode()
            except UnicodeDecodeError:
                raw = decode(raw, line, tell).encode()
                try:
                    data = loads(raw)
                except orjson.JSONDecodeError as other:
                    tell(line, f"broken JSON: {other.msg}")
                    continue
            else:
                tell(line, f"broken JSON: {error.msg} at column {error.colno}")
                continue
        if isinstance(data, dict):
            yield Row(line, data, raw)
        else:
            tell(line, "not a JSON object")


def _json(stream: IO[bytes], path: Path, tell: Tell) -> Iterator[Row]:
    content = stream.read(MAX_LINE_BYTES * 16 + 1)
    if len(content) > MAX_LINE_BYTES * 16:
        raise UsageError(f"{path}: a .json file is read whole, and this has more than 1 GB", hint="use .jsonl")
    try:
        data = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}:{error.colno}: broken JSON: {error.msg}") from error
    for number, item in enumerate(data if isinstance(data, list) else [data], 1):
        if isinstance(item, dict):
            yield Row(number, item)
        else:
            tell(number, "not a JSON object")


def _csv(stream: IO[bytes], path: Path, tell: Tell) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE_BYTES)
    texts = ((line, decode(content, line, tell).replace("\0", "")) for line, content in _lines(stream, tell))
    taken: deque[tuple[int, str]] = deque()
    """The lines of the row at hand: after the first of a broken one, which may have swallowed the rest, it goes on."""
    again: deque[tuple[int, str]] = deque()

    def feed() -> Iterator[str]:
        while (one := again.popleft() if again else next(texts, None)) is not None:
            taken.append(one)
            yield one[1]

    reader, header = csv.reader(feed(), strict=True), list[str]()
    while True:
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line, _ = taken.popleft()
            tell(line, f"broken CSV: {error}")
            again.extendleft(reversed(taken))
            reader = csv.reader(feed(), strict=True)
            continue
        line = taken[0][0]
        if not header:
            header = [name.strip() for name in cells]
            _refuse_twice(header, path)
            _refuse_other_separator(header, path)
        elif len(cells) == len(header):
            yield Row(line, dict(zip(header, cells, strict=True)))
        elif cells:
            tell(line, f"it has {len(cells)} fields, and the header has {len(header)}")


def _parquet(path: Path) -> Iterator[Row]:
    pyarrow, parquet = import_pyarrow(path)
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            _refuse_twice(schema.names, path)
            for batch in file.iter_batches(batch_size=1000):
                for data in batch.to_pylist():
                    number += 1
                    yield Row(number, data, schema=schema)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except (pyarrow.ArrowException, OSError) as error:
        raise UsageError(f"{path} is no Parquet file that can be read: {str(error).splitlines()[0]}") from error
    except (OverflowError, ValueError) as error:
        raise UsageError(
            f"{path}: from row {number + 1} on there is a date or time that Python cannot hold: {error}",
            hint="correct it, or make the column text",
        ) from error


def _refuse_twice(names: list[str], path: Path) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"{path} has two columns of the name {twice[0]!r}", hint="rename one of them")


def _refuse_other_separator(names: list[str], path: Path) -> None:
    for sign, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and sign in names[0]:
            raise UsageError(f"{path} has {called} between its columns", hint="save it with commas")


def import_pyarrow(path: Path) -> tuple[Any, Any]:
    """``pyarrow`` and its ``parquet``. Raises ``UsageError`` where the extra is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(f"{path} needs pyarrow", hint="pip install 'synth[parquet]', or use .jsonl") from error
    return pyarrow, parquet


class _Unzipped(io.RawIOBase):
    """What a gzip file holds; stops where it unfolds to far more than text ever does."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        self._unzip = gzip.GzipFile(fileobj=file)
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._unzip.read1(len(buffer))
        self._out += len(content)
        if self._out > _RATIO_COUNTS_FROM and self._out > _MAX_RATIO * self._file.tell():
            raise UsageError(
                f"{self._path} unfolds to more than {_MAX_RATIO} times its size: it looks like a bomb",
                hint="unpack it yourself if you trust it",
            )
        buffer[: len(content)] = content
        return len(content)
