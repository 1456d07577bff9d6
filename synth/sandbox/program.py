"""Run a Python program that a model wrote: confined, bounded, and with nothing of ours in reach.

The program runs in a process and a process group of its own with a clean environment and no input; see
:mod:`synth.sandbox.confine` for what keeps it in on which system. It runs with the standard library alone.
Hashes are fixed, so a program that uses no clock and no random numbers says the same every time.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import orjson

_CONFINE = str(Path(__file__).with_name("confine.py"))
_ENVIRONMENT = {"PATH": "/nonexistent", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
_READ_BYTES = 65536

Outcome = Literal["ok", "error", "timeout", "output"]


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds`` of wall time, and of CPU time rounded up; ``memory_mib`` of address space; ``output_bytes`` of
    standard output and error together; ``file_mib`` of any one file."""

    seconds: float = 5.0
    memory_mib: int = 512
    output_bytes: int = 100_000
    file_mib: int = 8


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What became of a program.

    ``finished`` says that it was carried out to its last line, and did not leave before (``sys.exit()``).
    ``outcome``: ``ok`` when it ended with exit status 0; ``error`` when it raised, ran out of memory or was killed;
    ``timeout`` and ``output`` when it met that limit. ``stderr`` ends with the traceback of what it raised.
    """

    outcome: Outcome
    stdout: str
    stderr: str
    seconds: float
    finished: bool = False

    @property
    def ok(self) -> bool:
        return self.outcome == "ok"

    @property
    def complaint(self) -> str:
        """One line on why it is not ok."""
        if self.outcome == "timeout":
            return f"it did not end within {self.seconds:.0f} s"
        if self.outcome == "output":
            return "it printed more than it may"
        if self.ok and not self.finished:
            return "it ends before its last line"
        lines = self.stderr.strip().splitlines()
        return lines[-1][:300] if lines else "it was killed"


async def run_program(source: str, *, limits: Limits | None = None) -> ProgramResult:
    """Run ``source`` and return what it printed and how it ended; whatever it does, it raises nothing here.

    As many run at once as the loop's thread pool has threads. Cancelling kills the program.
    """
    run = _Run(limits or Limits())
    try:
        return await asyncio.to_thread(run.carry_out, source)
    except asyncio.CancelledError:
        run.kill()
        raise


def run_program_now(source: str, *, limits: Limits | None = None) -> ProgramResult:
    """The same outside an event loop."""
    return _Run(limits or Limits()).carry_out(source)


@cache
def protection() -> tuple[str, ...]:
    """The layers that hold on this machine: of ``limits``, ``audit``, ``landlock``, ``seccomp``."""
    result = _Run(Limits(), report=True).carry_out("")
    return tuple(orjson.loads(result.stdout)) if result.ok else ()


def unprotected() -> str:
    """The kernel's layers that do not hold on this machine, as words; nothing where all do."""
    return " and ".join(name for name in ("landlock", "seccomp") if name not in protection())


class _Run:
    def __init__(self, limits: Limits, *, report: bool = False) -> None:
        self._limits = limits
        self._report = report
        self._mark = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def carry_out(self, source: str) -> ProgramResult:
        folder = tempfile.mkdtemp(prefix="synth-sandbox-")
        started = time.monotonic()
        try:
            Path(folder, "program.py").write_bytes(source.encode("utf-8", "replace"))
            process = self._start(folder)
            if process is None:
                return ProgramResult("error", "", "cancelled", 0.0)
            with process:
                try:
                    stdout, stderr, broken = self._read(process, started + self._limits.seconds)
                    self._wait(process, started + self._limits.seconds)
                finally:
                    self.kill()
            outcome = broken or ("ok" if process.returncode == 0 else self._why(process.returncode))
            said, mark, rest = stdout.partition(self._mark)
            finished = outcome == "ok" and bool(mark)
            return ProgramResult(outcome, said + rest, stderr, time.monotonic() - started, finished)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def kill(self) -> None:
        """Kill the whole process group, however far it has come; also before it was started."""
        with self._lock:
            self._killed = True
            if self._process is not None and self._process.returncode is None:
                try:
                    os.killpg(self._process.pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    self._process.kill()

    def _start(self, folder: str) -> subprocess.Popen[bytes] | None:
        limits = self._limits
        told = {
            "cpu_seconds": int(limits.seconds) + 1,
            "memory_bytes": limits.memory_mib << 20,
            "file_bytes": limits.file_mib << 20,
            "report": self._report,
            "mark": self._mark,
        }
        # -P -s -S: no module is found beside us, in the user's site, or among the installed packages.
        command = [sys.executable, "-P", "-s", "-S", _CONFINE, folder, orjson.dumps(told).decode()]
        with self._lock:
            if self._killed:
                return None
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**_ENVIRONMENT, "TMPDIR": folder, "HOME": folder},
                cwd=folder,
                start_new_session=True,
            )
            return self._process

    def _read(self, process: subprocess.Popen[bytes], deadline: float) -> tuple[str, str, Outcome | None]:
        assert process.stdout is not None
        assert process.stderr is not None
        parts: dict[int, bytearray] = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
        broken: Outcome | None = None
        with selectors.DefaultSelector() as selector:
            for descriptor in parts:
                selector.register(descriptor, selectors.EVENT_READ)
            while selector.get_map() and broken is None:
                left = deadline - time.monotonic()
                ready = selector.select(left) if left > 0 else []
                if not ready:
                    broken = "timeout"
                for key, _ in ready:
                    data = os.read(key.fd, _READ_BYTES)
                    parts[key.fd] += data
                    if not data:
                        selector.unregister(key.fd)
                if sum(map(len, parts.values())) > self._limits.output_bytes:
                    broken = "output"
        if broken:
            self.kill()
        out, err = (bytes(part[: self._limits.output_bytes]).decode("utf-8", "replace") for part in parts.values())
        return out, err, broken

    @staticmethod
    def _wait(process: subprocess.Popen[bytes], deadline: float) -> None:
        try:
            process.wait(max(deadline - time.monotonic(), 0.05))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @staticmethod
    def _why(status: int) -> Outcome:
        return "timeout" if status == -signal.SIGXCPU else "error"
