"""What `synth init` writes runs on the embedded model as it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.live
@pytest.mark.timeout(600)
@pytest.mark.parametrize("starter", ["wordings", "steps", "tools"])
def test_a_recipe_just_written_makes_examples(tmp_path: Path, starter: str) -> None:
    def synth(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "synth", *words], cwd=tmp_path, check=True, capture_output=True)

    synth("init", "mine", "--make", starter, "--count", "2")
    synth("run", "mine/recipe.yaml")
    summary = json.loads((tmp_path / "runs/mine/summary.json").read_text())
    assert (summary["status"], summary["accepted"]) == ("complete", 2)
