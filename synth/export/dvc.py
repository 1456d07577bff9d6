"""A run as a stage of DVC: ``dvc repro`` runs it again where the recipe or a file that it names has changed."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from synth.errors import UsageError
from synth.files import write_atomically
from synth.messages import Json
from synth.recipe.files import named_files
from synth.recipe.load import LoadedRecipe

STAGES = Path("dvc.yaml")


def write_stage(loaded: LoadedRecipe, run_dir: Path, command: str) -> None:
    """Add the run to ``dvc.yaml`` in the working directory, or bring its stage there up to date.

    The dataset is what DVC keeps; it stays in place between runs, so that one which was interrupted resumes. Other
    stages stay, comments do not. Raises ``UsageError`` for a file that is no ``dvc.yaml``.
    """
    try:
        data = yaml.safe_load(STAGES.read_text(encoding="utf-8")) if STAGES.exists() else {}
        stages: Json = (data or {}).get("stages") or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError) as error:
        raise UsageError(f"{STAGES.resolve()} is not a file of stages that can be read") from error
    recipe = loaded.recipe
    files = [loaded.path, *(loaded.base / name for _, name in named_files(recipe))]
    files += [loaded.base / recipe.seeds.path] if recipe.seeds is not None else []
    stages[recipe.name] = {
        "cmd": command,
        "deps": sorted({os.path.relpath(path) for path in files}),
        "outs": [{os.path.relpath(run_dir / "dataset"): {"persist": True}}],
        "metrics": [{os.path.relpath(run_dir / "summary.json"): {"cache": False, "persist": True}}],
    }
    text = yaml.safe_dump((data or {}) | {"stages": stages}, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(STAGES, [text.encode()])
