"""Writes what a run made out of its store: the dataset, the rejected attempts, the card and the metadata."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from synth.export.card import dataset_card
from synth.export.croissant import croissant
from synth.export.exporting import export_rows
from synth.export.pictures import write_pictures
from synth.files import write_atomically
from synth.fingerprint import sha256_file
from synth.messages import Json
from synth.recipe.lock import Lock
from synth.store import Store

_REPLACED = ("README.md", "croissant.json", "dataset", "pictures", "prompts.json", "rejected.jsonl", "summary.json")


def replaced_in(folder: Path) -> list[str]:
    """What of ``folder`` a run there would replace."""
    there = (folder / name for name in _REPLACED)
    return [path.name for path in there if path.is_file() or (path.is_dir() and any(path.iterdir()))]


def write_run_folder(run_dir: Path, lock: Lock, store: Store, summary: Json) -> None:
    """Bring every file of the run folder up to date with the store; each is replaced whole."""
    generators = [spec["id"] for spec in lock.recipe["generate"]]
    files = [dataset_file(run_dir, name) for name in generators]
    for name, path in zip(generators, files, strict=True):
        write_atomically(path, _lines(store.accepted_rows(name)))
    rejected = (row for name in generators for row in store.rejected_rows(name))
    write_atomically(run_dir / "rejected.jsonl", _lines(rejected))
    hashes = {path: sha256_file(path) for path in files}
    exports, converted = _write_formats(run_dir, generators, lock.recipe["output"]["formats"], store)
    if exports:
        summary["exports"] = exports
    write_atomically(run_dir / "summary.json", [_pretty(summary)])
    started = float(store.meta()["started"])
    metadata = croissant(lock, run_dir, hashes, started=started, ended=time.time())
    write_atomically(run_dir / "croissant.json", [_pretty(metadata)])
    pictures = write_pictures(run_dir)
    write_atomically(run_dir / "README.md", [dataset_card(lock, store, summary, pictures).encode()])
    written = ["recipe.lock.yaml", "README.md", "croissant.json", "prompts.json", "rejected.jsonl", "summary.json"]
    written += [path.relative_to(run_dir).as_posix() for path in converted] + [path for _, path in pictures]
    for name in orjson.loads(store.meta().get("files", "{}")):
        if name.startswith("dataset/") and name not in written:  # a format that is not asked for any more
            (run_dir / name).unlink(missing_ok=True)
    store.set_meta({"files": orjson.dumps({name: sha256_file(run_dir / name) for name in written}).decode()})


def _write_formats(run_dir: Path, generators: list[str], formats: list[str], store: Store) -> tuple[Json, list[Path]]:
    """Write ``dataset/<format>/`` for every further format. By format the rows written, and left out by reason; and
    the files."""
    exports: Json = {}
    files: list[Path] = []
    for name in dict.fromkeys(formats):
        if name == "messages":
            continue
        told: Json = {"written": 0, "left_out": {}}
        for generator in generators:

            def rows(generator: str = generator) -> Iterator[Json]:
                return map(orjson.loads, store.accepted_rows(generator))

            suffix = "parquet" if name == "parquet" else "jsonl"
            done = export_rows(rows, name, run_dir / "dataset" / name / f"{generator}.{suffix}")
            files += done.files
            told["written"] += done.written
            for reason, count in done.left_out.items():
                told["left_out"][reason] = told["left_out"].get(reason, 0) + count
        exports[name] = told
    return exports, files


def dataset_file(run_dir: Path, generator: str) -> Path:
    return run_dir / "dataset" / f"{generator}.jsonl"


def _lines(rows: Iterable[bytes]) -> Iterator[bytes]:
    return (row + b"\n" for row in rows)


def _pretty(value: Json) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
