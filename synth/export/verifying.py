"""What was changed by hand in a run folder: its dataset against the run store, the hashes of all that was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from synth.errors import UsageError
from synth.fingerprint import sha256_file
from synth.messages import Json
from synth.reader import RunReader

_EVERYTHING = 2**62


def verify(reader: RunReader) -> Iterator[str]:
    """Each difference in words; nothing where the folder is as the run left it. The store is taken for the truth.

    Raises ``UsageError`` while a run is at work in the folder: its files are written when it ends.
    """
    if reader.running is not None:
        raise UsageError(
            f"another synth (process {reader.running}) is at work in {reader.folder}",
            hint="its files are written when it ends: wait for it",
        )
    for generator in reader.generators:
        path = reader.folder / "dataset" / f"{generator}.jsonl"
        if not path.is_file():
            yield f"{path} is missing"
            continue
        attempts = reader.attempts(generator=generator, accepted=True, newest=_EVERYTHING)
        yield from _compare(path, {attempt.unit: attempt.row for attempt in attempts})
    yield from _hashes(reader.folder)
    yield from _written(reader)
    yield from _added(reader)


def _compare(path: Path, stored: dict[str, Json]) -> Iterator[str]:
    seen: set[str] = set()
    for line, content in enumerate(path.read_bytes().splitlines(), 1):
        try:
            row = orjson.loads(content)
            name = str(row["id"])
        except (orjson.JSONDecodeError, TypeError, KeyError):
            yield f"{path}:{line}: no dataset row"
            continue
        if name in seen:
            yield f"{path}:{line}: {name} is there twice"
        elif name not in stored:
            yield f"{path}:{line}: {name} was added: the run has not made it"
        elif row != stored[name]:
            known = stored[name]
            fields = [key for key in {**known, **row} if row.get(key) != known.get(key)]
            yield f"{path}:{line}: {name} was changed in {', '.join(fields)}"
        seen.add(name)
    for name in stored:
        if name not in seen:
            yield f"{path}: {name} was removed"


def _hashes(folder: Path) -> Iterator[str]:
    path = folder / "croissant.json"
    try:
        files = orjson.loads(path.read_bytes())["distribution"]
        named = [(folder / entry["contentUrl"], entry["sha256"]) for entry in files]
    except OSError:
        yield f"{path} is missing"
        return
    except (orjson.JSONDecodeError, TypeError, KeyError):
        yield f"{path} is not as synth writes it"
        return
    for file, digest in named:
        if file.is_file() and sha256_file(file) != digest:
            yield f"{file} has another SHA-256 than {path.name} says"


def _written(reader: RunReader) -> Iterator[str]:
    """The dataset's other formats and the files beside it, against the hashes that the run noted as it wrote them."""
    for name, digest in reader.written.items():
        path = reader.folder / name
        if not path.is_file():
            if name != "croissant.json":  # said already
                yield f"{path} is missing"
        elif sha256_file(path) != digest:
            yield f"{path} was changed"


def _added(reader: RunReader) -> Iterator[str]:
    known = {f"dataset/{generator}.jsonl" for generator in reader.generators} | reader.written.keys()
    for path in sorted((reader.folder / "dataset").rglob("*")):
        if path.is_file() and path.relative_to(reader.folder).as_posix() not in known:
            yield f"{path} was added: the run has not written it"
