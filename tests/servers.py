"""A local OpenAI-compatible server with the faults of real ones, for tests and benchmarks.

In a test, a thread::

    with ChatServer(queue=["html", "drop"]) as server:
        ...  # server.url, server.bodies, server.counts

In a benchmark, a process of its own: ``python -m tests.servers '{"latency": 0.05}'`` prints its URL and ends when its
standard input does; ``GET /stats`` tells what it counted.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

Answer = Callable[[dict[str, Any]], "str | dict[str, Any]"]


@dataclass(frozen=True, slots=True)
class Faults:
    """How the server behaves; shares are of all requests, drawn with ``seed``. Times are in seconds."""

    seed: int = 0
    latency: float = 0.0
    jitter: float = 0.0
    """Share of the latency that is drawn from an exponential distribution."""
    busy: float = 0.0
    """Share answered with 429."""
    retry_after: str | None = None
    server_error: float = 0.0
    hang: float = 0.0
    drop: float = 0.0
    malformed: float = 0.0
    truncated: float = 0.0
    rate: float | None = None
    """Requests per second, from a bucket of ``burst``; beyond it 429."""
    burst: float = 10
    per_second: int | None = None
    """Requests in each second of the clock; beyond it 429."""
    places: int | None = None
    """Requests at once; beyond it 429."""


@dataclass(slots=True)
class Abilities:
    """What the server takes, and what it tells."""

    json_schema: bool = True
    json_object: bool = True
    max_tokens: bool = True
    """False: it wants ``max_completion_tokens``, as OpenAI's reasoning models do."""
    tools: bool = True
    logprobs: bool = True
    usage: bool = True
    api_key: str | None = None
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "m", "max_model_len": 4096}])


def echo(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


class ChatServer:
    """``answer`` turns a request body into the answer's text, or into a whole choice; ``queue`` names faults (or
    ``ok``) for the next requests, in their order. ``bodies`` and ``arrivals`` are what came and when.
    """

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        answer: Answer = echo,
        queue: Iterable[str] = (),
        abilities: Abilities | None = None,
        keep_bodies: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.answer = answer
        self.queue = deque(queue)
        self.abilities = abilities or Abilities()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.arrivals: list[float] = []
        self.counts: Counter[str] = Counter()
        self.most_inside = 0
        self.url = ""
        self._keep_bodies = keep_bodies
        self._tls = tls
        self._rng = random.Random(self.faults.seed)
        self._inside = 0
        self._level = self.faults.burst
        self._level_at = time.monotonic()
        self._second = (0, 0)
        self._hanging = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: web.AppRunner | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    # -- in a thread

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(started,), name="chat-server")
        self._thread.start()
        started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and break all connections."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._thread = None

    def restart(self) -> None:
        """Listen again at the same port."""
        self.__enter__()

    def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.start())
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self.aclose())
        self._loop.close()

    # -- in a loop

    async def start(self) -> str:
        """Listen on a free port of loopback (the same again after a stop) and return the base URL."""
        app = web.Application(client_max_size=64 * 2**20)
        self.add_routes(app.router)
        self._hanging = asyncio.Event()
        self._inside = 0
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=1024, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http{'s' * (self._tls is not None)}://127.0.0.1:{self._port}/v1"
        return self.url

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/chat/completions", self._chat)
        router.add_get("/v1/models", self._models)
        router.add_get("/stats", self._stats)

    async def aclose(self) -> None:
        self._hanging.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        return _json({"object": "list", "data": self.abilities.models})

    async def _stats(self, request: web.Request) -> web.Response:
        return _json({**self.counts, "inside": self._inside, "most_inside": self.most_inside})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if self._keep_bodies:
            self.arrivals.append(time.monotonic())
            self.bodies.append(orjson.loads(raw))
            self.headers.append(dict(request.headers))
        self.counts["requests"] += 1
        fault = self._choose()
        self.counts[fault] += 1
        if fault == "busy":
            headers = {} if self.faults.retry_after is None else {"Retry-After": self.faults.retry_after}
            return _error(429, "Rate limit reached", headers)
        self._inside += 1
        self.most_inside = max(self.most_inside, self._inside)
        try:
            latency = self.faults.latency
            if latency:
                spread = self.faults.jitter * (self._rng.expovariate(1) - 1) if self.faults.jitter else 0.0
                await asyncio.sleep(latency * (1 + spread))
            return await self._respond(fault, request, orjson.loads(raw))
        finally:
            self._inside -= 1

    def _choose(self) -> str:
        if self.queue:
            return self.queue.popleft()
        faults = self.faults
        draw = self._rng.random()
        for name in ("busy", "server_error", "hang", "drop", "malformed", "truncated"):
            draw -= getattr(faults, name)
            if draw < 0:
                return name
        return "ok" if self._has_room() else "busy"

    def _has_room(self) -> bool:
        faults, now = self.faults, time.monotonic()
        if faults.places is not None and self._inside >= faults.places:
            return False
        if faults.per_second is not None:
            second, used = self._second
            used = used if second == int(now) else 0
            self._second = (int(now), used + (used < faults.per_second))
            if used >= faults.per_second:
                return False
        if faults.rate is not None:
            self._level = min(faults.burst, self._level + (now - self._level_at) * faults.rate)
            self._level_at = now
            if self._level < 1:
                return False
            self._level -= 1
        return True

    async def _respond(self, fault: str, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        key = self.abilities.api_key
        if key is not None and request.headers.get("Authorization") != f"Bearer {key}":
            return _error(401, f"Incorrect API key provided: {request.headers.get('Authorization', '')}")
        match fault:
            case "ok":
                return self.complete(body)
            case "server_error":
                return _error(500, "The server had an error")
            case "overloaded":
                return _error(503, "Overloaded")
            case "hang":
                await self._hanging.wait()
            case "malformed":
                return web.Response(body=b'{"choices": [{"message": ', content_type="application/json")
            case "not_an_object":
                return web.Response(body=b"[]", content_type="application/json")
            case "html":
                return web.Response(text="<html><title>Welcome</title></html>", content_type="text/html")
            case "html_502":
                return web.Response(
                    status=502, text="<html><title>Bad gateway</title></html>", content_type="text/html"
                )
            case "empty_choices":
                return _json({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 0}})
            case "bad_utf8":
                return web.Response(body=b'{"choices": [{"message": {"content": "\xff\xfe"}}]}')
            case "huge":
                return _json(_completion(body, {"role": "assistant", "content": "x" * 10 * 2**20}))
            case "context_length":
                return _error(400, "This model's maximum context length is 4096 tokens. However, you requested 9999.")
            case "no_such_model":
                return _error(404, f"The model `{body['model']}` does not exist")
            case "busy_inside":
                return _json({"error": {"message": "Rate limited upstream", "code": 429}})
            case "error_inside":
                return _json({"error": {"message": "Provider returned error"}})
            case "no_quota":
                return _error(429, "You exceeded your current quota (insufficient_quota)")
            case "redirect":
                return web.Response(status=302, headers={"Location": "/v2/chat/completions"})
            case "dribble":
                return await self._dribble(request, body)
            case "truncated":
                await self._truncate(request, body)
        if request.transport is not None:  # drop, and what is left of the others
            request.transport.close()
        return web.Response()

    def complete(self, body: dict[str, Any]) -> web.Response:
        able = self.abilities
        wanted = body.get("response_format", {}).get("type")
        if (wanted == "json_schema" and not able.json_schema) or (wanted == "json_object" and not able.json_object):
            return _error(400, f"'response_format.type' : value is not {wanted!r}")
        if "max_tokens" in body and not able.max_tokens:
            return _error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "tools" in body and not able.tools:
            return _error(400, "tools are not supported")
        answer = self.answer(body)
        message = answer if isinstance(answer, dict) else {"role": "assistant", "content": answer}
        finish = message.pop("finish_reason", "tool_calls" if message.get("tool_calls") else "stop")
        completion = _completion(body, message, finish)
        for name, tokens in completion["usage"].items():  # what it would bill
            self.counts[name] += tokens
        if not able.usage:
            del completion["usage"]
        if body.get("logprobs") and able.logprobs:
            completion["choices"][0]["logprobs"] = {"content": [{"token": "x", "logprob": -0.5, "top_logprobs": []}]}
        return _json(completion)

    async def _dribble(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        """White space every 50 ms for a second, then the answer: what some gateways do while a model thinks."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _ in range(20):
            await response.write(b" \n")
            await asyncio.sleep(0.05)
        await response.write(orjson.dumps(_completion(body, {"role": "assistant", "content": self.answer(body)})))
        await response.write_eof()
        return response

    async def _truncate(self, request: web.Request, body: dict[str, Any]) -> None:
        content = orjson.dumps(_completion(body, {"role": "assistant", "content": self.answer(body)}))
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) // 2])


def _completion(body: dict[str, Any], message: dict[str, Any], finish: str = "stop") -> dict[str, Any]:
    asked = sum(len(str(said.get("content") or "")) for said in body["messages"]) // 4 + 1
    told = len(str(message.get("content") or "")) // 4 + 1
    usage = {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage,
    }


def _json(data: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = orjson.dumps({"error": {"message": message, "type": "error", "code": None}})
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


async def _main(settings: dict[str, Any]) -> None:
    known = {each.name for each in fields(Faults)}
    server = ChatServer(
        Faults(**{name: value for name, value in settings.items() if name in known}),
        answer=echo if settings.get("echo") else lambda body: str(settings.get("answer", "ok")),
        keep_bodies=False,
    )
    print(await server.start(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.aclose()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_main(orjson.loads(sys.argv[1] if len(sys.argv) > 1 else "{}")))
