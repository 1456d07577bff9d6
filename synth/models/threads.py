"""How native threads wait for each other, where a model computes in this process."""

from __future__ import annotations

import os


def rest_idle_threads() -> None:
    """Have OpenMP's threads sleep soon rather than spin; to be called before torch is imported, which reads it.

    Threads that wait for long spins take the core from the thread they wait for as soon as anything else runs on the
    machine, such as the server that a run's other model is in: embedding was three times slower beside it.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
