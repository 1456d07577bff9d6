"""Where pulled model files lie, and how a file is known to be the pinned one without reading it every time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import orjson
import platformdirs

from synth.files import write_atomically
from synth.models.embedded.registry import EmbeddedModel

BLOCK = 2**20


def models_dir() -> Path:
    """``models`` under ``SYNTH_CACHE``, else under the user's cache folder."""
    root = os.environ.get("SYNTH_CACHE") or platformdirs.user_cache_dir("synth", appauthor=False)
    return Path(root).expanduser().absolute() / "models"


def cached_path(model: EmbeddedModel) -> Path:
    """Where the model's file lies once it is pulled."""
    return models_dir() / model.file


def is_pulled(model: EmbeddedModel) -> bool:
    """Whether the file is there and unchanged since its hash was found right. Costs two calls of ``stat``."""
    path = cached_path(model)
    try:
        stamp = orjson.loads(_stamp_path(path).read_bytes())
        return bool(stamp == _stamp(path, model.sha256))
    except (OSError, orjson.JSONDecodeError):
        return False


def write_stamp(model: EmbeddedModel) -> None:
    """Remember that the file, as it is now, has the pinned hash."""
    path = cached_path(model)
    write_atomically(_stamp_path(path), [orjson.dumps(_stamp(path, model.sha256))])


def hash_blocks(path: Path, each: Callable[[int], None]) -> hashlib._Hash:
    """The SHA-256 state after all of ``path``; ``each`` is called with the bytes hashed so far."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            each(done)
    return digest


def _stamp_path(path: Path) -> Path:
    return path.with_name(path.name + ".checked")


def _stamp(path: Path, sha256: str) -> dict[str, int | str]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}
