"""Pushing, against a server that speaks as much of the hub's protocol as it takes."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from synth.errors import RunError, UsageError
from synth.export.hub import push

pytest.importorskip("huggingface_hub")


class Hub(ThreadingHTTPServer):
    """Takes one token; ``files`` are what was committed, ``private`` what the repository was made as."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.private: bool | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self._body()
        if self.headers["Authorization"] != "Bearer hf_right":
            self._answer(401, {"error": "Invalid token"})
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            self.server.private = asked.get("private", asked.get("visibility") == "private")
            self._answer(200, {"url": f"{self.server.url}/datasets/me/rows", "name": "me/rows", "id": "me/rows"})
        elif "/preupload/" in self.path:
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in json.loads(body)["files"]
            ]
            self._answer(200, {"files": files})
        elif "/commit/" in self.path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.server.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            url = f"{self.server.url}/datasets/me/rows/commit/1"
            self._answer(200, {"success": True, "commitOid": "1", "commitUrl": url})
        else:
            self._answer(200, {"errors": [], "warnings": []})

    def do_GET(self) -> None:
        if self.headers["Authorization"] == "Bearer hf_right":
            self._answer(200, {"id": "me/rows", "sha": "0", "siblings": []})
        else:
            self._answer(401, {"error": "Invalid token"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    monkeypatch.setattr("huggingface_hub.utils.disable_progress_bars", lambda: None)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for name, content in {
        "README.md": "# rows",
        "croissant.json": "{}",
        "dataset/a.jsonl": "{}\n",
        "dataset/sharegpt/a.jsonl": "{}\n",
        "run.sqlite": "secret",
        "rejected.jsonl": "secret",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def test_the_rows_and_their_card_are_put_there_and_nothing_else(hub: Hub, run: Path) -> None:
    assert push(run, "me/rows", private=True) == f"{hub.url}/datasets/me/rows"
    assert hub.private is True
    assert set(hub.files) == {"README.md", "croissant.json", "dataset/a.jsonl", "dataset/sharegpt/a.jsonl"}
    assert hub.files["README.md"] == b"# rows"


def test_a_token_that_is_refused(hub: Hub, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong_secret")
    with pytest.raises(UsageError, match=r"refuses to write me/rows \(HTTP 401\)") as error:
        push(run, "me/rows", private=True)
    assert "hf_wrong_secret" not in f"{error.value} {error.value.hint}"


def test_a_name_that_is_none(hub: Hub, run: Path) -> None:
    with pytest.raises(UsageError, match="Repo id"):
        push(run, "me/rows/more", private=True)


def test_no_dataset(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no finished dataset"):
        push(tmp_path, "me/rows", private=True)


def test_no_hub(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    with pytest.raises(RunError, match="cannot be reached"):
        push(run, "me/rows", private=True)
