"""Which vLLM servers a recipe's models start."""

from __future__ import annotations

from pathlib import Path

import synth.models.corrsynth
from synth.models.open import open_models
from synth.recipe.models import ModelSpec
from tests.unit.models.vllm.conftest import starts


async def test_models_share_a_server_with_the_plugin_where_one_of_them_decodes(fake: Path, tmp_path: Path) -> None:
    spec = ModelSpec(provider="vllm", model="org/model")
    other = spec.model_copy(update={"context_length": 512})
    async with open_models(
        {"plain": spec, "decoding": spec, "other": other}, base=tmp_path, run_dir=tmp_path, decoding=["decoding"]
    ) as models:
        assert models["plain"].server is models["decoding"].server is not models["other"].server
    plugged, plain = starts(fake)
    assert plugged["plugin"] == str(Path(synth.models.corrsynth.__path__[0], "vllm_plugin.py").resolve())
    assert plain["logits_processors"] is None
