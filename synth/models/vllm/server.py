"""A vLLM server that synth starts, from whichever virtual environment holds vLLM."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from synth.errors import FatalModelError, UsageError
from synth.models.process import ChildProcess, is_healthy
from synth.models.progress import ModelState, Report, ignore
from synth.models.supervised import SupervisedServer
from synth.models.vllm.failure import explain_failure, port_is_taken
from synth.models.vllm.health import engine_works
from synth.models.vllm.python import computes_bfloat16, require_vllm

_SILENT_SECONDS = 1800.0  # a large model may come over a slow line; a start that failed is noticed at once
_POLL_SECONDS = 0.2
_PORT_TRIES = 3
_PATH = re.compile(r"[./~]")

_OURS = frozenset({"--api-key", "--host", "--model", "--port", "--served-model-name", "--uds"})
"""Arguments that synth gives itself, or cannot do with."""

_ENVIRONMENT = {
    # A build for the CPU would take nine tenths of the machine's memory, or refuse to start where that much is not
    # free. GiB for the cache of keys and values; builds for accelerators do not look at it.
    "VLLM_CPU_KVCACHE_SPACE": "4",
    # vLLM reports to its makers otherwise, which nobody has agreed to by running a recipe.
    "VLLM_NO_USAGE_STATS": "1",
    # No file in the user's working directory is imported in place of a module.
    "PYTHONSAFEPATH": "1",
}

_PHASES = (  # the last that the log has reached is shown
    ("compiling", re.compile(r"torch\.compile takes|Compiling|Capturing CUDA graphs|Warming up")),
    ("making room", re.compile(r"Loading weights took|Model loading took")),
    ("loading weights", re.compile(r"Starting to load model")),
    ("fetching the model", re.compile(r"Fetching \d+ files|Downloading")),
)


class VllmServer(SupervisedServer):
    """``model`` is a folder or a hub's name; ``args`` and ``env`` are added to what synth passes itself.

    ``python`` is a program. The server answers to the folder's or the hub's name, listens on 127.0.0.1 alone, and what
    it says is added to the file ``log``. Raises ``UsageError`` for ``args`` that synth gives itself.
    """

    def __init__(
        self,
        model: str,
        *,
        python: str,
        log: Path,
        args: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        context_length: int | None = None,
        report: Report = ignore,
    ) -> None:
        path = Path(model).expanduser()
        self._folder = path.resolve() if path.is_dir() else None
        super().__init__(self._folder.name if self._folder else model, report)
        self._model = str(self._folder or model)
        self._log = log
        self._args = args
        self._env = dict(env or {})
        self._python = python
        self._context_length = context_length
        self._dtype: tuple[str, ...] = ()
        for argument in args:
            name = argument.partition("=")[0].replace("_", "-")
            if name in _OURS:
                raise UsageError(
                    f"`args` of the model {model!r}: {name} is for synth to choose",
                    hint="leave it out; or start vLLM yourself, with any arguments, and give its `base_url`",
                )

    async def _prepare(self) -> None:
        if self._folder is None and _PATH.match(self._model):
            raise UsageError(
                f"there is no model folder {self._model!r}",
                hint="`model` is a folder with config.json and safetensors (relative to the recipe), or a hub's name",
            )
        for_cpu = await require_vllm(self._python, self._environment())
        # Without AVX-512, bfloat16, which most models come in, takes minutes for a token.
        self._dtype = () if not for_cpu or computes_bfloat16() else ("--dtype", "float32")

    async def _launch(self) -> None:
        for _ in range(1 if self._port else _PORT_TRIES):
            port = self._port or _free_port()
            if await self._try_port(port):
                self._port = port
                self._report(ModelState(self.name, "ready"))
                return
        raise FatalModelError(
            f"vLLM for {self.name} cannot start: port {port} is in use by another program",
            hint="run the same command again: it resumes, at another port",
        )

    async def _try_port(self, port: int) -> bool:
        """Start it there and wait until it answers; False where the port turned out to be taken."""
        self._report(ModelState(self.name, "starting vLLM"))
        log_start = self._log.stat().st_size if self._log.exists() else 0
        self._child = child = await ChildProcess.start(
            f"vLLM for {self.name}", self._command(port), log=self._log, env=self._environment()
        )
        try:
            await self._wait_ready(child, f"http://127.0.0.1:{port}/health", log_start)
        except FatalModelError as error:
            await child.stop()
            log = self._read_log(log_start)
            if port_is_taken(log):
                return False
            known = explain_failure(log, model=self._model, python=self._python)
            if known is None:
                raise
            raise FatalModelError(
                f"vLLM for {self.name} did not start: {known.message}",
                hint=f"{known.hint}; its whole log is {self._log}",
            ) from error
        except BaseException:  # also a cancellation: what is half started is ended, and the error goes on
            await child.stop()
            raise
        return True

    async def _wait_ready(self, child: ChildProcess, health: str, log_start: int) -> None:
        size, said_at, phase = log_start, time.monotonic(), ""
        while not await is_healthy(health):
            if not child.running:
                raise child.failure(f"did not start: {child.ending}")
            now = time.monotonic()
            if (new_size := self._log.stat().st_size) != size:
                size, said_at = new_size, now
                reached = _find_phase(self._read_log(log_start))
                if reached != phase:
                    self._report(ModelState(self.name, reached))
                    phase = reached
            elif now - said_at > _SILENT_SECONDS:
                raise child.failure(f"is not ready, and has said nothing for {_SILENT_SECONDS / 60:.0f} minutes")
            await asyncio.sleep(_POLL_SECONDS)

    async def _answers(self, child: ChildProcess) -> bool:
        return await super()._answers(child) and await engine_works(self.base_url.removesuffix("/v1"), self.name)

    def _command(self, port: int) -> list[str]:
        command = [self._python, "-m", "vllm.entrypoints.openai.api_server", "--model", self._model]
        command += ["--served-model-name", self.name, "--host", "127.0.0.1", "--port", str(port)]
        command.append("--disable-uvicorn-access-log")  # a line a request would make a long run's log a large one
        if self._context_length is not None:
            command += ["--max-model-len", str(self._context_length)]
        return [*command, *self._dtype, *self._args]

    def _environment(self) -> dict[str, str]:
        """What is added to our own environment, whose variables count for more than our defaults."""
        # A folder needs no hub, and asking one makes a start without network wait for time-outs.
        defaults = _ENVIRONMENT | ({"HF_HUB_OFFLINE": "1"} if self._folder else {})
        return {name: value for name, value in defaults.items() if name not in os.environ} | self._env

    def _read_log(self, start: int) -> str:
        with self._log.open("rb") as file:
            file.seek(start)
            return file.read(2**20).decode("utf-8", "replace")


def _find_phase(log: str) -> str:
    return next((phase for phase, pattern in _PHASES if pattern.search(log)), "starting vLLM")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
