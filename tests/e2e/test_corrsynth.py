"""A run whose texts are written together, at a vLLM that runs elsewhere: here a server that notes what it is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from synth.job import run
from synth.recipe.load import load_recipe

RECIPE = """\
name: t
seed: 2
models: {m: {provider: vllm, model: m, base_url: URL, concurrency: 4}}
seeds: {path: seeds.jsonl}
generate:
  - id: texts
    kind: custom
    count: 9
    decode: {method: corrsynth, contrast: cross, delta: 0.25, group: 3}
    steps: [{as: text, prompt: "Write about {{ seed.label }}, {{ unit.index }}"}]
    output: {messages: [{role: user, content: "{{ text }}"}]}
diversity: off
"""


class _Noting(BaseHTTPRequestHandler):
    """Answers chat completions; ``events`` are the groups of requests as they come, and ``None`` for each answer."""

    events: list[str | None] = []  # noqa: RUF012 - shared on purpose: one server a test
    bodies: list[dict[str, Any]] = []  # noqa: RUF012
    lock = threading.Lock()

    def do_GET(self) -> None:
        self._send({"data": [{"id": "m", "max_model_len": 4096}]})

    def do_POST(self) -> None:
        body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            self.bodies.append(body)
            self.events.append(body["vllm_xargs"]["corrsynth_group"])
        time.sleep(0.05)
        message = {"role": "assistant", "content": body["messages"][-1]["content"]}
        with self.lock:
            self.events.append(None)
        self._send({"choices": [{"message": message, "finish_reason": "stop"}], "model": "m"})

    def _send(self, answer: dict[str, Any]) -> None:
        content = orjson.dumps(answer)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[type[_Noting]]:
    handler = type("Noting", (_Noting,), {"events": [], "bodies": []})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    handler.url = f"http://127.0.0.1:{httpd.server_port}/v1"  # type: ignore[attr-defined]
    yield handler
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_groups_are_asked_for_whole(tmp_path: Path, server: type[_Noting]) -> None:
    (tmp_path / "seeds.jsonl").write_text('{"label": "cats"}\n{"label": "dogs"}\n{"label": "owls"}\n')
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("URL", server.url))  # type: ignore[attr-defined]
    result = run(load_recipe(tmp_path / "recipe.yaml"), run_dir=tmp_path / "run")
    assert result.ending.status == "complete"
    asked = [one["vllm_xargs"] for one in server.bodies]
    assert {(one["corrsynth_contrast"], one["corrsynth_delta"], one["corrsynth_size"]) for one in asked} == {
        ("cross", 0.25, 3)
    }
    groups = [one["corrsynth_group"] for one in asked]
    for group in set(groups):
        of_group = [one["corrsynth_label"] for one in asked if one["corrsynth_group"] == group]
        assert sorted(of_group) == ["cats", "dogs", "owls"]
    # With four places the first of the next group could be sent beside three of this one. It waits for its group, which
    # cannot be whole before two of this one have been answered.
    for number, group in enumerate(dict.fromkeys(groups)):
        assert server.events[: server.events.index(group)].count(None) >= 2 * number
