from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from synth.errors import RunError
from synth.models.embedded import sources
from synth.models.embedded.pull import ensure_model
from tests.unit.models.embedded.toy import CONTENT, World


class Hub(ThreadingHTTPServer):
    """Serves CONTENT; drops each of the first ``drops`` answers half way."""

    drops = 0
    ranges = True
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.ranges else 0
        content = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.drops:
            self.server.drops -= 1
            content = content[: len(content) // 2]
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve() -> Iterator[Hub]:
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


@pytest.fixture
def hub(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr("synth.models.embedded.pull.SOURCES", [s for s in sources.SOURCES if s[1] is sources.read_hub])
    with serve() as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield server


def test_the_pinned_revision_is_fetched(hub: Hub) -> None:
    assert ensure_model("toy").read_bytes() == CONTENT
    assert hub.asked == [("/toys/toy/resolve/abc/toy.gguf", None)]


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_dropped_line_is_resumed(hub: Hub, ranges: bool) -> None:
    hub.drops = 2
    hub.ranges = ranges
    assert ensure_model("toy").read_bytes() == CONTENT
    assert len(hub.asked) == 3
    assert hub.asked[1][1] == f"bytes={len(CONTENT) // 2}-"


def test_a_hub_that_always_drops_is_given_up_and_resumed_by_the_next_pull(hub: Hub) -> None:
    hub.drops = 5
    with pytest.raises(RunError, match=r"could not be pulled"):
        ensure_model("toy")
    assert ensure_model("toy").read_bytes() == CONTENT
    assert hub.asked[-1][1] not in (None, "bytes=0-")


def test_a_missing_file_is_not_asked_for_again(hub: Hub) -> None:
    hub.status = 404
    with pytest.raises(RunError, match=r"the model hub: Not Found"):
        ensure_model("toy")
    assert len(hub.asked) == 1
