"""The Python that runs vLLM: often another than ours, because vLLM pins a torch of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from synth.errors import UsageError

_HAS_VLLM = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"


def find_python(python: str | None, base: Path) -> str:
    """The program that ``python:`` of a recipe in ``base`` means; this one where it says nothing.

    Raises ``UsageError`` where there is none.
    """
    if python is None:
        return sys.executable
    path = base / Path(python).expanduser()
    if path.is_dir():  # a virtual environment
        path = path / "bin" / "python"
    named = shutil.which(python) if os.sep not in python else None
    found = named or shutil.which(path)
    if found is None:
        raise UsageError(
            f"there is no Python at {str(path)!r} to run vLLM with",
            hint="`python:` is the Python of a virtual environment that holds vLLM, for example venv/bin/python",
        )
    return found


async def require_vllm(python: str, env: Mapping[str, str]) -> None:
    """Raises ``UsageError`` where ``python`` has no vLLM: in a moment, where vLLM itself would take some."""
    process = await asyncio.create_subprocess_exec(
        *(python, "-c", _HAS_VLLM),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **env},
    )
    if await process.wait() == 0:
        return
    other = "" if python != sys.executable else ", or name the Python of another virtual environment with `python:`"
    raise UsageError(f"there is no vLLM in {python}", hint=f"{python} -m pip install vllm{other}")
