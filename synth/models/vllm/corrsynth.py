"""CorrSynth's plugin for a vLLM that synth starts: what it is told, and where it finds it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import synth.models.corrsynth

_OPTION = "--logits-processors"
_PLUGIN = "synth.models.corrsynth.vllm_plugin:CorrSynth"


def add_plugin(args: Sequence[str], env: Mapping[str, str], folder: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """A server's ``args`` and ``env`` with the plugin, which it finds in ``folder`` (empty; kept while it runs).

    ``args`` that name logits processors themselves stay as they are.
    """
    # Our own packages beside it would hide those of vLLM's environment, so nothing else of ours is on the path.
    package = folder / "synth" / "models"
    package.mkdir(parents=True)
    for parent in (package.parent, package):
        (parent / "__init__.py").touch()
    (package / "corrsynth").symlink_to(synth.models.corrsynth.__path__[0], target_is_directory=True)
    path = env.get("PYTHONPATH", os.environ.get("PYTHONPATH"))
    found = {**env, "PYTHONPATH": f"{folder}{os.pathsep}{path}" if path else str(folder)}
    named = any(arg.partition("=")[0].replace("_", "-") == _OPTION for arg in args)
    return (*args, *(() if named else (_OPTION, _PLUGIN))), found
