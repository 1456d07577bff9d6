"""A vLLM server that synth starts, from whichever virtual environment holds vLLM."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from synth.errors import FatalModelError, UsageError
from synth.models.process import ChildProcess
from synth.models.progress import ModelState, Report, ignore
from synth.models.supervised import SupervisedServer
from synth.models.vllm.failure import explain_failure

_LOAD_SECONDS = 1800.0  # a large model on a cold disk takes its time, and a start that failed is noticed at once
_PORT_TRIES = 3


class VllmServer(SupervisedServer):
    """``model`` is a folder or a hub's name; ``args`` and ``env`` are added to what synth passes itself.

    The server answers to ``model`` as its model name, listens on 127.0.0.1 alone, and logs to ``logs/vllm-<name>.log``.
    """

    def __init__(
        self,
        model: str,
        *,
        logs: Path,
        args: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        python: str | None = None,
        context_length: int | None = None,
        report: Report = ignore,
    ) -> None:
        self._folder = Path(model) if Path(model).is_dir() else None
        super().__init__(self._folder.name if self._folder else model, report)
        self._model = model
        self._log = logs / f"vllm-{self.name.replace('/', '--')}.log"
        self._args = args
        self._env = dict(env or {})
        self._python = python or sys.executable
        self._context_length = context_length

    async def _prepare(self) -> None:
        if not Path(self._python).exists():
            raise UsageError(f"there is no Python at {self._python!r} to run vLLM with", hint="mend `python:`")

    async def _launch(self) -> None:
        for _ in range(_PORT_TRIES):
            port = self._port or _free_port()
            if await self._try_port(port):
                self._port = port
                self._report(ModelState(self.name, "ready"))
                return
        raise FatalModelError(f"vLLM for {self.name} found no free port in {_PORT_TRIES} tries")

    async def _try_port(self, port: int) -> bool:
        """Start it there and wait until it answers; False where the port turned out to be taken."""
        self._report(ModelState(self.name, "starting vLLM"))
        log_start = self._log.stat().st_size if self._log.exists() else 0
        self._child = child = await ChildProcess.start(
            f"vLLM for {self.name}", self._command(port), log=self._log, env=self._environment()
        )
        try:
            await child.wait_healthy(f"http://127.0.0.1:{port}/health", _LOAD_SECONDS)
        except FatalModelError as error:
            await child.stop()
            known = explain_failure(self._read_log(log_start), model=self._model, python=self._python)
            if known is None:
                raise
            if known.port_taken:
                return False
            raise FatalModelError(
                f"vLLM for {self.name} did not start: {known.message}",
                hint=f"{known.hint}; its whole log is {self._log}",
            ) from error
        except BaseException:
            await child.stop()
            raise
        return True

    def _command(self, port: int) -> list[str]:
        command = [self._python, "-m", "vllm.entrypoints.openai.api_server", "--model", self._model]
        command += ["--served-model-name", self.name, "--host", "127.0.0.1", "--port", str(port)]
        if self._context_length is not None:
            command += ["--max-model-len", str(self._context_length)]
        return [*command, *self._args]

    def _environment(self) -> dict[str, str]:
        # A folder needs no hub, and asking one makes a start without network wait for time-outs.
        offline = {"HF_HUB_OFFLINE": "1"} if self._folder else {}
        return {**offline, **self._env}

    def _read_log(self, start: int) -> str:
        with self._log.open("rb") as file:
            file.seek(start)
            return file.read(2**20).decode("utf-8", "replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
