"""How many threads compute fastest on this machine."""

from __future__ import annotations

import os
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def physical_cores() -> int:
    """The physical cores this process may use: hyper-threads, foreign cores and a container's quota left out.

    llama.cpp's threads wait for each other at every layer, so one thread more than there are cores slows all down.
    """
    here = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    cpus = here or set(range(os.cpu_count() or 1))
    try:
        cores = len({(_CPUS / f"cpu{cpu}/topology/thread_siblings_list").read_text() for cpu in cpus})
    except OSError:
        cores = len(cpus)
    return min(cores, _quota() or cores)


def _quota() -> int | None:
    """The whole CPUs that the control group allows, at least one, or None where it sets no limit."""
    try:
        quota, period = _QUOTA.read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no such group, or "max"
        return None
