"""Writes what a run made out of its store: the dataset, the rejected attempts, the card and the metadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from synth.export.card import dataset_card
from synth.export.croissant import croissant
from synth.files import write_atomically
from synth.fingerprint import sha256_file
from synth.messages import Json
from synth.recipe.schema import Recipe
from synth.store import Store


def write_run_folder(run_dir: Path, recipe: Recipe, store: Store, summary: Json) -> None:
    """Bring every file of the run folder up to date with the store; each is replaced whole."""
    files = [dataset_file(run_dir, spec.id) for spec in recipe.generate]
    for spec, path in zip(recipe.generate, files, strict=True):
        write_atomically(path, _lines(store.accepted_rows(spec.id)))
    rejected = (row for spec in recipe.generate for row in store.rejected_rows(spec.id))
    write_atomically(run_dir / "rejected.jsonl", _lines(rejected))
    write_atomically(run_dir / "summary.json", [_pretty(summary)])
    hashes = {path: sha256_file(path) for path in files}
    write_atomically(run_dir / "croissant.json", [_pretty(croissant(recipe, run_dir, hashes))])
    write_atomically(run_dir / "README.md", [dataset_card(recipe, store, summary).encode()])


def dataset_file(run_dir: Path, generator: str) -> Path:
    return run_dir / "dataset" / f"{generator}.jsonl"


def _lines(rows: Iterable[bytes]) -> Iterator[bytes]:
    return (row + b"\n" for row in rows)


def _pretty(value: Json) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
