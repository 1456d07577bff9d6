"""Files that are either the old one or the new one, never half of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from synth.errors import RunError, UsageError

_OF_A_RUN = frozenset(
    "README.md access.jsonl croissant.json dataset governance.json marks.jsonl pictures prompts.json quarantine.jsonl"
    " recipe.lock.yaml rejected.jsonl run.lock run.pid run.sqlite run.sqlite-shm run.sqlite-wal summary.json".split()
)
"""What a run folder keeps for itself; what is written there on request, such as ``report.html``, is not of these."""


def refuse_file_of_a_run(target: Path) -> None:
    """Raise ``UsageError`` where ``target`` is, or would be, one of the files that a run keeps in its folder."""
    place = target.resolve()
    for folder in place.parents:
        if (folder / "run.sqlite").exists() and place.relative_to(folder).parts[0] in _OF_A_RUN:
            raise UsageError(f"{target} is the run's own, and would be lost", hint="give another path")


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Write ``chunks`` beside ``path`` and rename. Raises ``RunError`` when the disk is full, else ``UsageError``."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):  # what is wrong with the path has been said
            temporary.unlink()


def cannot_write(path: Path, error: OSError) -> RunError | UsageError:
    """The one message for a file that cannot be written."""
    if error.errno == errno.ENOSPC:
        return RunError(f"the disk is full: {path} cannot be written", hint="free some space and run the same again")
    reason = next((f"{one} is no folder" for one in path.parents if one.exists() and not one.is_dir()), error.strerror)
    return UsageError(f"{path} cannot be written: {reason or error}", hint="choose a folder you may write to")
