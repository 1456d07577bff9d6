"""The embedded models' servers: started when they are needed, revived when they die, stopped always."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
import threading
from pathlib import Path

from synth.errors import UsageError
from synth.models.embedded.cache import cached_path
from synth.models.embedded.cores import physical_cores
from synth.models.embedded.pull import ensure_model, is_path
from synth.models.embedded.registry import DEFAULT, find_model
from synth.models.process import ChildProcess
from synth.models.progress import ModelState, Report, Warned, ignore
from synth.models.supervised import SupervisedServer

MOST_PARALLEL = 8
"""Requests computed together. On two cores 16 were no faster than 8, and each takes its own context's memory."""

PATH_CONTEXT_LENGTH = 4096
"""Tokens of one request for a .gguf file that the registry knows nothing of."""

_SERVER_MODULE = "synth.models.embedded.server"
_LOAD_SECONDS = 300.0


def require_llama_cpp() -> None:
    """Raises ``UsageError`` without the extra ``embedded``."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise UsageError("embedded models need llama.cpp, which is not installed", hint="pip install 'synth[embedded]'")


class EmbeddedServer(SupervisedServer):
    """One model file, served over the OpenAI protocol on loopback by a process of its own.

    ``model`` is a name of the registry or the path of a .gguf file; ``parallel`` requests are computed together, each
    with room for ``context_length`` tokens. The log is ``logs/<name>.log``.
    """

    def __init__(
        self,
        model: str = DEFAULT,
        *,
        logs: Path,
        parallel: int = MOST_PARALLEL,
        context_length: int | None = None,
        report: Report = ignore,
    ) -> None:
        if is_path(model):
            name = Path(model).stem
            self.context_length = context_length or PATH_CONTEXT_LENGTH
        else:
            known = find_model(model)
            name = known.name
            self.context_length = min(context_length or known.context_length, known.trained_context)
        super().__init__(name, report)
        self.parallel = min(parallel, MOST_PARALLEL)
        self._model = model
        self._logs = logs
        self._path: Path | None = None

    async def _prepare(self) -> None:
        """Pull the model where it is not here yet."""
        self._path = await self._pull()

    async def _launch(self) -> None:
        """Start the process and wait until the model is loaded; the first time at any free port, then at the same."""
        assert self._path is not None
        self._report(ModelState(self.name, "starting"))
        options = {
            "--model": self._path,
            "--alias": self.name,
            "--parallel": self.parallel,
            "--context": self.context_length,
            "--threads": physical_cores(),
            "--port": self._port,
        }
        # -P: no file in the user's working directory is imported in place of a module.
        command = [sys.executable, "-P", "-m", _SERVER_MODULE]
        for option, value in options.items():
            command += [option, str(value)]
        found_at = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._child = child = await ChildProcess.start(
            f"the server of {self.name}",
            command,
            log=self._logs / f"{self.name}.log",
            env={"PYTHONPATH": os.pathsep.join(found_at)},
        )
        try:
            self._port = json.loads(await child.read_report(_LOAD_SECONDS))["port"]
        except BaseException:  # also a cancellation: what is half started is ended, and the error goes on
            await child.stop()
            raise
        self._report(ModelState(self.name, "ready"))

    async def _pull(self) -> Path:
        require_llama_cpp()
        loop = asyncio.get_running_loop()
        cancelled = threading.Event()

        def tell(event: ModelState | Warned) -> None:
            if cancelled.is_set():
                raise _CancelledPull
            loop.call_soon_threadsafe(self._report, event)

        try:
            return await asyncio.to_thread(ensure_model, self._model, tell)
        except asyncio.CancelledError:
            cancelled.set()  # a thread cannot be cancelled, but the next report ends the pull
            raise


class _CancelledPull(Exception):
    """Thrown into a pull that nobody waits for any more."""


class EmbeddedServers:
    """The embedded servers of one run: one per model file, however many models of the recipe use it."""

    def __init__(self, logs: Path, report: Report = ignore) -> None:
        self._logs = logs
        self._report = report
        self._servers: dict[Path, EmbeddedServer] = {}

    def get(self, model: str, *, parallel: int, context_length: int | None = None) -> EmbeddedServer:
        """The server of ``model``, not started yet where it is new. Where several ask for the same file before it is
        started, it serves the most parallel and the longest of them. Raises ``UsageError`` for an unknown name."""
        path = Path(model).expanduser().resolve() if is_path(model) else cached_path(find_model(model))
        asked = EmbeddedServer(
            model, logs=self._logs, parallel=parallel, context_length=context_length, report=self._report
        )
        server = self._servers.setdefault(path, asked)
        if server.pid is None:
            server.parallel = max(server.parallel, asked.parallel)
            server.context_length = max(server.context_length, asked.context_length)
        return server

    async def stop(self) -> None:
        """End them all."""
        await asyncio.gather(*(server.stop() for server in self._servers.values()))
