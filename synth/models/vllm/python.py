"""The Python that runs vLLM: often another than ours, because vLLM pins a torch of its own."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from synth.errors import UsageError

# Looks without importing vLLM, which takes seconds. A build for the CPU says so in its name or in its version.
_FIND_VLLM = """
import importlib.metadata, importlib.util, sys
if importlib.util.find_spec("vllm") is None:
    sys.exit(1)
found = [one for one in importlib.metadata.distributions() if (one.name or "").startswith("vllm")]
print(any("cpu" in one.name + one.version for one in found))
"""
_X86_FLAGS = re.compile(r"^flags\s*:(.*)$", re.MULTILINE)
_BFLOAT16_FLAGS = re.compile(r"\b(avx512\w*|avx_ne_convert)\b")  # oneDNN has bfloat16 for these


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


async def require_vllm(python: str, env: Mapping[str, str]) -> bool:
    """Whether the vLLM of ``python`` is a build for the CPU: in a moment, where vLLM itself would take some.

    Raises ``UsageError`` where it has none.
    """
    process = await asyncio.create_subprocess_exec(
        *(python, "-c", _FIND_VLLM),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **env},
    )
    said, _ = await process.communicate()
    if process.returncode == 0:
        return said.strip() == b"True"
    other = "" if python != sys.executable else ", or name the Python of another virtual environment with `python:`"
    raise UsageError(f"there is no vLLM in {python}", hint=f"{python} -m pip install vllm{other}")


def computes_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether products in bfloat16 are quick on this processor: False on an x86 without AVX-512 or its like, True
    everywhere else, and where that cannot be seen."""
    try:
        flags = _X86_FLAGS.search(cpuinfo.read_text(encoding="utf-8"))
    except OSError:
        return True
    return flags is None or _BFLOAT16_FLAGS.search(flags[1]) is not None
