"""A server in a process of its own that always ends: when it is stopped, on Ctrl-C, and when this process is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import aiohttp

from synth.errors import FatalModelError
from synth.files import cannot_write
from synth.models import guard

_GRACE_SECONDS = 3.0
_PROBE_SECONDS = 5.0
_POLL_SECONDS = 0.1
_LOG_TAIL_BYTES = 64 * 1024
_LOG_PREFIX = re.compile(r"^\d[\d.:,]*\s+(?=[A-Z]\s)")  # llama.cpp's clock
_ABOUT_FAILURE = re.compile(r"^E\s|\b(error|failed|cannot|couldn't|unable|killed|out of memory)\b|Error\b", re.I)


class ChildProcess:
    """One running command, under :mod:`synth.models.guard`, in a session of its own.

    Being in its own session, it does not get the terminal's Ctrl-C: it ends when :meth:`stop` says so, or when the
    pipe that this process holds open closes. ``name`` is how messages call it; ``log`` gets its standard error (and
    its standard output once it has no more use for it), after what earlier processes left there.
    """

    def __init__(
        self,
        name: str,
        log: Path,
        log_start: int,
        process: asyncio.subprocess.Process,
        reports: asyncio.StreamReader,
        held: contextlib.ExitStack,
    ) -> None:
        self.name = name
        self.log = log
        self._log_start = log_start
        self._process = process
        self._reports = reports
        self._held = held
        self._stopped = False

    @classmethod
    async def start(cls, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> Self:
        """Start ``command``. ``env`` is added to this process's environment. Raises ``UsageError`` or ``RunError``
        where the log cannot be written, ``FatalModelError`` where the system starts no process."""
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            output = log.open("ab")
        except OSError as error:
            raise cannot_write(log, error) from error
        log_start = output.tell()
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            theirs.callback(output.close)
            lifeline, end = os.pipe()[::-1]
            ours.callback(os.close, lifeline)
            theirs.callback(os.close, end)
            # A pipe of our own, and not the loop's, which stays open as long as anything that left the group holds it.
            said, say = os.pipe()
            theirs.callback(os.close, say)
            reports = asyncio.StreamReader()
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reports), os.fdopen(said, "rb", buffering=0)
            )
            ours.callback(transport.close)
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", guard.__file__, *command),
                    stdin=end,
                    stdout=say,
                    stderr=output,
                    env={**os.environ, **(env or {})},
                    start_new_session=True,
                )
            except OSError as error:
                raise FatalModelError(f"{name} cannot be started: {error.strerror or error}") from error
            return cls(name, log, log_start, process, reports, ours.pop_all())

    @property
    def pid(self) -> int:
        """The process id of the guard; also the id of the process group."""
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def read_report(self, seconds: float) -> str:
        """The next line that the command writes to its standard output; raises ``FatalModelError`` when it ends, or
        is silent for ``seconds``."""
        try:
            line = await asyncio.wait_for(self._reports.readline(), seconds)
        except TimeoutError as error:
            raise self.failure(f"was not ready after {seconds:.0f} s") from error
        if not line:
            await self._process.wait()
            raise self.failure(f"did not start: {self.ending}")
        return line.decode("utf-8", "replace").strip()

    async def wait_healthy(self, url: str, seconds: float) -> None:
        """Return when ``url`` answers 200; raises ``FatalModelError`` when the process ends, or after ``seconds``."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not await is_healthy(url):
            if not self.running:
                raise self.failure(f"did not start: {self.ending}")
            if asyncio.get_running_loop().time() > deadline:
                raise self.failure(f"was not ready after {seconds:.0f} s")
            await asyncio.sleep(_POLL_SECONDS)

    async def wait_ended(self, seconds: float) -> bool:
        """Whether it ends by itself within ``seconds``."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
        return not self.running

    async def stop(self, grace: float = _GRACE_SECONDS) -> None:
        """End the whole process group: politely, and after ``grace`` seconds by force. Returns when it is gone."""
        try:
            self._signal(signal.SIGTERM)
            await self.wait_ended(grace)
        finally:
            self._signal(signal.SIGKILL)  # also for what outlived the command
            self._stopped = True
            self._held.close()
        await self._process.wait()

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        status = self._process.returncode
        if status is None:
            return "it is running"
        number = -status if status < 0 else status - 128
        if number > 0:
            with contextlib.suppress(ValueError):
                return f"it was killed by {signal.Signals(number).name}"
        return f"it ended with status {status}"

    def failure(self, what: str) -> FatalModelError:
        """The error that says ``what`` happened to this process, with what its log says of why."""
        words = self.last_words()
        said = "".join(f"\n  {line}" for line in words)
        return FatalModelError(f"{self.name} {what}{said}", hint=f"its whole log is {self.log}")

    def last_words(self, most: int = 3) -> list[str]:
        """The lines of this process's log that best say why it failed: what looks like an error, else its end."""
        try:
            with self.log.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(self._log_start, end - _LOG_TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        lines = [_LOG_PREFIX.sub("", line).strip() for line in text.splitlines()]
        lines = list(dict.fromkeys(line[:300] for line in lines if line))
        errors = [line for line in lines if _ABOUT_FAILURE.search(line)]
        if len(errors) > most:  # the first says what went wrong, the last what came of it
            errors = [*errors[: most - 1], errors[-1]]
        return errors or lines[-most:]

    def _signal(self, number: signal.Signals) -> None:
        if self._stopped:  # the group has ended: the group's id may be someone else's by now
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


async def is_healthy(url: str) -> bool:
    """Whether a GET of ``url`` is answered with 200 within a few seconds."""
    timeout = aiohttp.ClientTimeout(total=_PROBE_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
