"""Which embedder a recipe gets, and what is said where there is none."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from synth.diversity.embedders import open_embedder, open_embeddings
from synth.diversity.endpoint_embedder import embedder_price
from synth.errors import UsageError
from synth.recipe.diversity import DiversitySpec, EmbedderSpec
from tests.unit.diversity.toy_embedder import MemoryCache


@pytest.mark.parametrize("choice", ["minilm", "some/model"])
def test_an_embedder_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, choice: str) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs the package sentence_transformers") as caught:
        open_embedder(choice, Path())
    assert "pip install 'synth[diversity]'" in caught.value.hint


async def test_an_endpoint_needs_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    embedder = open_embedder(EmbedderSpec(provider="openai", model="words"), Path())
    assert embedder.identity == "openai:words"
    await embedder.aclose()


def test_a_recipe_that_compares_no_meanings_has_no_embedder() -> None:
    assert open_embeddings("off", Path(), MemoryCache()) is None
    assert open_embeddings(DiversitySpec(embedder="off"), Path(), MemoryCache()) is None


def test_what_an_embedding_costs() -> None:
    own = embedder_price(EmbedderSpec(provider="openai", model="ours", price=3))
    assert own is not None
    assert (own.input, own.output) == (3, 0)
    listed = embedder_price(EmbedderSpec(provider="openai", model="text-embedding-3-small"))
    assert listed is not None
    assert listed.input > 0
    assert embedder_price(EmbedderSpec(provider="openai", model="ours")) is None
