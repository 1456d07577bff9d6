"""The worker process from the outside: start it, ask it one thing at a time, end it, start another when it has died."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress

import orjson

from synth.environments.framing import CHUNK, Frame, framed
from synth.messages import Json

_GRACE = 2.0
"""Seconds that a worker may take beyond its own limit before it is killed from here."""


class WorkerDied(Exception):
    """The process ended, or was ended, while it worked on a request; ``str()`` says why."""


class WorkerProcess:
    """``config`` is what the worker is told first. ``lifetime`` counts the processes started so far.

    Whoever asks holds ``lock``, so that ``lifetime`` and the process do not change between two requests.
    """

    def __init__(self, config: Json) -> None:
        self._config = orjson.dumps(config)
        self._import_seconds: float = config["import_seconds"]
        self._seconds: float = config["seconds"]
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self.lock = asyncio.Lock()
        self.lifetime = 0

    async def start(self) -> Json:
        """Start a process and return what it says first. Raises ``WorkerDied``."""
        self.kill()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: ASYNC220  some milliseconds, once
                [sys.executable, "-m", "synth.environments.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=_environment(),
                cwd=tempfile.gettempdir(),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        ours.setblocking(False)
        self._channel = ours
        self.lifetime += 1
        said: Json = orjson.loads(await self._exchange(ours, self._config, self._import_seconds))
        return said

    @property
    def running(self) -> bool:
        return self._channel is not None and self._process is not None and self._process.poll() is None

    async def ask(self, requests: Sequence[Json]) -> list[Json]:
        """The reply to each request, up to the first that is a fault.

        Raises ``WorkerDied``; the next call may then start another process.
        """
        if self._channel is None:
            raise WorkerDied("found no process to run in")
        reply = await self._exchange(self._channel, orjson.dumps(requests), self._seconds, len(requests))
        replies: list[Json] = orjson.loads(reply)
        return replies

    def kill(self) -> int:
        """End the process, and what it started, at once. Its exit status."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is None:
            return 0
        process, self._process = self._process, None
        with suppress(ProcessLookupError, PermissionError):  # it has ended
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait()

    async def _exchange(self, channel: socket.socket, content: bytes, seconds: float, requests: int = 1) -> bytes:
        loop = asyncio.get_running_loop()
        reply: bytes | None = None
        try:
            async with asyncio.timeout(seconds * requests + _GRACE):
                await loop.sock_sendall(channel, framed(content))
                frame = Frame()
                while reply is None:
                    received = await loop.sock_recv(channel, CHUNK)
                    if not received:
                        raise WorkerDied(_why(self.kill(), seconds))
                    reply = frame.feed(received)
        except TimeoutError as error:
            raise WorkerDied(f"took longer than {seconds:g} s") from error
        except OSError as error:
            raise WorkerDied(_why(self.kill(), seconds)) from error
        finally:
            if reply is None:  # what it says next would be taken for the answer to another request
                self.kill()
        return reply


def _why(status: int, seconds: float) -> str:
    if status == -signal.SIGALRM:
        return f"took longer than {seconds:g} s"
    if status < 0:
        # A JSON writer that gets no memory crashes, so the two cannot be told apart.
        return f"ended its process ({signal.Signals(-status).name}: it crashed or ran out of memory)"
    return f"ended its process (exit status {status})"


def _environment() -> dict[str, str]:
    """Nothing of the user's environment but what Python needs: tools see no API keys. Sets iterate in a fixed order."""
    kept = {key: value for key in ("PATH", "LANG", "LC_ALL", "TZDIR") if (value := os.environ.get(key)) is not None}
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return kept | {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "TZ": "UTC", "PYTHONSAFEPATH": "1"}
