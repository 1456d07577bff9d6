"""A vLLM server with synth's CorrSynth plugin, for benchmarks: started once for many runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.common import ROOT
from synth.models.vllm.server import VllmServer

PLUGIN = "synth.models.corrsynth.vllm_plugin:CorrSynth"


@contextmanager
def serving_vllm(venv: Path, model: Path, log: Path, *more: str) -> Iterator[str]:
    """The base URL of a server of ``model`` from the virtual environment ``venv``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    server = VllmServer(
        str(model),
        python=str(venv / "bin" / "python"),
        log=log,
        args=("--enforce-eager", "--logits-processors", PLUGIN, "--max-num-seqs", "64", "--block-size", "32", *more),
        env={"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_NUM_OF_RESERVED_CPU": "0", "PYTHONPATH": str(ROOT)},
        context_length=1024,
    )
    with asyncio.Runner() as loop:
        try:
            yield loop.run(server.start())
        finally:
            loop.run(server.stop())
