"""One process at a time in a run folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from synth.errors import UsageError
from synth.files import cannot_write


@contextmanager
def only_run_in(folder: Path) -> Iterator[None]:
    """Hold the run folder for this process alone. Raises ``UsageError`` while another run works in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owner = folder / "run.pid"
        lock = FileLock(folder / "run.lock")
        lock.acquire(blocking=False)
    except Timeout as error:
        who = owner.read_text().strip() if owner.exists() else "unknown"
        raise UsageError(
            f"another synth (process {who}) is at work in {folder}", hint="wait for it, or give another --run-dir"
        ) from error
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        owner.write_text(f"{os.getpid()}\n")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()
