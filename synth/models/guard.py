"""Runs a command, and ends it and all that it started as soon as whoever started this is gone.

    python -I -S guard.py COMMAND...

Run by path, with the standard library alone, as the leader of a process group. The guard's standard input is a pipe
whose other end its parent holds: it closes when the parent ends, however it ends (also by ``kill -9``). The guarded
command does not have to know: it may hold the interpreter for minutes, or be no Python at all. Should the guard itself
be killed, Linux kills the command with it. The exit status is the command's; 128 + n where signal n ended it.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time

_PR_SET_PDEATHSIG = 1
_PARENT_POLL_SECONDS = 0.5  # for a pipe that a forked sibling of ours still holds open
_GRACE_SECONDS = 1.0


def main(command: list[str]) -> int:
    guard = os.getpid()
    parent = os.getppid()
    # Handlers, and not SIG_IGN, which the command would inherit. Signals to the group are for the command to obey.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_guard() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:
                os._exit(1)

    # The guard is single-threaded, so code between fork and exec is safe.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_guard)
    os.close(1)  # so that the parent sees the command's standard output end
    while child.poll() is None:
        readable, _, _ = select.select([0, wake], [], [], _PARENT_POLL_SECONDS)
        if wake in readable:
            os.read(wake, 512)
        if (0 in readable and not os.read(0, 512)) or os.getppid() != parent:
            _end_group(child)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _end_group(child: subprocess.Popen[bytes]) -> None:
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
