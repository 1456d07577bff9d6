"""The plugin reaches a vLLM that synth starts, and nothing else of ours does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synth.models.vllm.corrsynth import add_plugin

PLUGIN = "synth.models.corrsynth.vllm_plugin:CorrSynth"


def test_the_server_is_told_of_the_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    args, env = add_plugin(("--enforce-eager",), {"MINE": "1"}, tmp_path)
    assert args == ("--enforce-eager", "--logits-processors", PLUGIN)
    assert env == {"MINE": "1", "PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize("given", [("--logits-processors", "my:Own", PLUGIN), (f"--logits_processors={PLUGIN}",)])
def test_the_users_own_list_counts(tmp_path: Path, given: tuple[str, ...]) -> None:
    args, env = add_plugin(given, {"PYTHONPATH": "/mine"}, tmp_path)
    assert args == given
    assert env["PYTHONPATH"] == f"{tmp_path}{os.pathsep}/mine"


def test_another_python_finds_it_and_none_of_our_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    _, env = add_plugin((), {}, tmp_path)
    code = (
        "import importlib.util as u; import synth.models.corrsynth.member;"
        "print(u.find_spec('synth.models.corrsynth.vllm_plugin') is not None, u.find_spec('aiohttp'))"
    )
    command = [sys.executable, "-S", "-c", code]  # -S: without the packages that are installed for this one
    found = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "None"]
