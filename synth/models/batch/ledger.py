"""Which batch a request went out in, on disk: a run that was killed finds the answers that it paid for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import orjson

from synth.files import cannot_write


class Ledger:
    """A file of JSON lines, ``{"batch": id, "requests": [id, ...]}``; ``path`` None: only in memory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._batches: dict[str, str] = {}
        if path is not None and path.exists():
            for line in path.read_bytes().splitlines():
                try:
                    entry = orjson.loads(line)
                except orjson.JSONDecodeError:  # cut off when the machine stopped
                    continue
                self._note(entry["batch"], entry["requests"])

    def find(self, request: str) -> str | None:
        """The batch that ``request`` went out in last."""
        return self._batches.get(request)

    def note(self, batch: str, requests: Iterable[str]) -> None:
        """Return when it is on the disk."""
        requests = list(requests)
        self._note(batch, requests)
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(orjson.dumps({"batch": batch, "requests": requests}) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def forget(self, batch: str) -> None:
        """The batch holds nothing more that anyone may ask for."""
        self._batches = {request: other for request, other in self._batches.items() if other != batch}

    def _note(self, batch: str, requests: Iterable[str]) -> None:
        for request in requests:
            self._batches[request] = batch
