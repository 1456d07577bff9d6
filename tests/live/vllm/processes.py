"""What is left of processes that should be gone."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psutil


def still_alive(processes: Iterable[psutil.Process], seconds: float = 5.0) -> list[psutil.Process]:
    """Those that have not ended within ``seconds``. A zombie has ended: who inherits it here may not reap it."""
    deadline = time.monotonic() + seconds
    while True:
        left = [process for process in processes if _is_alive(process)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
