"""A local server that speaks OpenAI's Batch API, with the turns that batches take.

Each batch is answered as soon as it is looked at a second time, unless ``plan`` says otherwise for the next ones, in
their order: ``ok``; ``hold`` (it stays in progress until :attr:`held` is set); ``expire`` (only the first half of its
requests is answered); ``refuse`` and ``no_room`` (it fails as a whole); ``busy`` (all its requests fail with 429);
``cancel`` (by someone else, with the first half answered).
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.servers import ChatServer


@dataclass
class Batch:
    id: str
    turn: str
    requests: list[dict[str, Any]]
    status: str = "validating"
    looks: int = 0
    files: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)


class BatchServer(ChatServer):
    """``batches`` is everything that was handed in."""

    def __init__(self, *, plan: Iterable[str] = (), **options: Any) -> None:
        super().__init__(**options)
        self.plan = deque(plan)
        self.batches: list[Batch] = []
        self.held = threading.Event()
        self.page_at = ""
        """What is asked of this path is answered with an HTML page."""
        self.unreachable = 0
        """So many of the next looks at a batch are answered 503."""
        self._files: dict[str, bytes] = {}
        self._numbers = itertools.count(1)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        super().add_routes(router)
        router.add_post("/v1/files", self._upload)
        router.add_get("/v1/files/{id}/content", self._content)
        router.add_post("/v1/batches", self._create)
        router.add_get("/v1/batches/{id}", self._retrieve)
        router.add_post("/v1/batches/{id}/cancel", self._cancel)

    async def _upload(self, request: web.Request) -> web.Response:
        if request.path == self.page_at:
            return web.Response(text="<html>log in</html>", content_type="text/html")
        key = self.abilities.api_key
        if key is not None and request.headers.get("Authorization") != f"Bearer {key}":
            return _error(401, f"Incorrect API key provided: {request.headers.get('Authorization', '')}")
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        assert form["purpose"] == "batch"
        content = file.file.read()
        return web.json_response({"id": self._keep(content), "object": "file", "bytes": len(content)})

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self._files[request.match_info["id"]])

    async def _create(self, request: web.Request) -> web.Response:
        if request.path == self.page_at:
            return web.Response(text="<html>log in</html>", content_type="text/html")
        asked = await request.json()
        assert asked["endpoint"] == "/v1/chat/completions"
        requests = [orjson.loads(line) for line in self._files[asked["input_file_id"]].splitlines()]
        assert len({one["custom_id"] for one in requests}) == len(requests)
        assert len({one["body"]["model"] for one in requests}) == 1
        turn = self.plan.popleft() if self.plan else "ok"
        batch = Batch(f"batch_{next(self._numbers)}", turn, requests)
        self.batches.append(batch)
        return _show(batch)

    async def _retrieve(self, request: web.Request) -> web.Response:
        if self.unreachable:
            self.unreachable -= 1
            return _error(503, "Overloaded", {"x-should-retry": "false"})
        batch = self._find(request)
        batch.looks += 1
        if batch.status in ("validating", "in_progress"):
            batch.status = "in_progress"
            if batch.looks > 1 and (batch.turn != "hold" or self.held.is_set()):
                self._end(batch)
        elif batch.status == "cancelling":
            self._answer(batch, batch.requests[: len(batch.requests) // 2])
            batch.status = "cancelled"
        return _show(batch)

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self._find(request)
        if batch.status in ("validating", "in_progress"):
            batch.status = "cancelling"
        return _show(batch)

    def _find(self, request: web.Request) -> Batch:
        found = [batch for batch in self.batches if batch.id == request.match_info["id"]]
        if not found:
            raise web.HTTPNotFound(text="No batch found")
        return found[0]

    def _end(self, batch: Batch) -> None:
        half = batch.requests[: len(batch.requests) // 2]
        match batch.turn:
            case "refuse":
                batch.status = "failed"
                batch.errors = [{"code": "model_not_found", "message": "The model does not exist", "line": 1}]
            case "no_room":
                batch.status = "failed"
                batch.errors = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]
            case "expire":
                self._answer(batch, half)
                batch.status = "expired"
            case "cancel":
                self._answer(batch, half)
                batch.status = "cancelled"
            case "busy":
                lines = [_line(one, {"error": {"message": "Rate limit reached"}}, 429) for one in batch.requests]
                batch.files["error_file_id"] = self._keep(b"\n".join(lines))
                batch.status = "completed"
            case _:
                self._answer(batch, batch.requests)
                batch.status = "completed"

    def _answer(self, batch: Batch, requests: list[dict[str, Any]]) -> None:
        """Answers come in any order, and failures in a file of their own; what expired is told there as well."""
        good: list[bytes] = []
        bad: list[bytes] = []
        for one in reversed(requests):
            response = self.complete(one["body"])
            assert isinstance(response.body, bytes)
            line = _line(one, orjson.loads(response.body), response.status)
            (good if response.status == 200 else bad).append(line)
        if batch.turn == "expire":
            told = {"code": "batch_expired", "message": "This request could not be executed in time"}
            missed = [one for one in batch.requests if one not in requests]
            bad += [orjson.dumps({"custom_id": one["custom_id"], "response": None, "error": told}) for one in missed]
        for name, lines in (("output_file_id", good), ("error_file_id", bad)):
            if lines:
                batch.files[name] = self._keep(b"\n".join(lines) + b"\n")

    def _keep(self, content: bytes) -> str:
        name = f"file_{next(self._numbers)}"
        self._files[name] = content
        return name


def _line(request: dict[str, Any], body: Any, status: int) -> bytes:
    response = {"status_code": status, "request_id": "r", "body": body}
    return orjson.dumps({"id": "x", "custom_id": request["custom_id"], "response": response, "error": None})


def _show(batch: Batch) -> web.Response:
    done = len(batch.requests) if batch.files else 0
    return web.json_response(
        {
            "id": batch.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "created_at": 1,
            "input_file_id": "file",
            "status": batch.status,
            "request_counts": {"total": len(batch.requests), "completed": done, "failed": 0},
            "errors": {"object": "list", "data": batch.errors} if batch.errors else None,
            **batch.files,
        }
    )


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"message": message, "code": None}}, status=status, headers=headers)
