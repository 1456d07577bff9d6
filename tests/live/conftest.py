from __future__ import annotations

from pathlib import Path

import pytest

from synth.models.embedded.cache import cached_path, is_pulled
from synth.models.embedded.registry import DEFAULT, find_model


@pytest.fixture(scope="session")
def model_file() -> Path:
    """The default embedded model, which `synth models pull` has fetched before."""
    model = find_model(DEFAULT)
    if not is_pulled(model):
        pytest.fail("live tests need the default model: run `synth models pull` first")
    return cached_path(model)
