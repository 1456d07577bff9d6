"""The page's server: its files, the API, and a stream that says when there is something new."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import orjson
from aiohttp import web

from synth.errors import SynthError, UsageError
from synth.messages import Json
from synth.view.api import Api
from synth.view.follower import Follower
from synth.view.guard import Handler, add_headers, guarded

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_THREADS = 3
_HEARTBEAT = 15.0
_QUIET = 0.4
"""Seconds between two words to a page: what changes in between is told at once."""
_MOST_BYTES = 4096
"""Of a request's body: a mark."""


@asynccontextmanager
async def viewing(folder: Path, port: int = 0) -> AsyncIterator[str]:
    """Serve the run in ``folder`` at the address given, until the context is left.

    Raises ``UsageError`` where there is no run, or the port is taken.
    """
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory(prefix="synth-view-") as temporary:
        index = Path(temporary) / "index.sqlite"
        news = _News()

        def changed() -> None:
            loop.call_soon_threadsafe(news.tell)

        follower = Follower(folder, index, changed)
        follower.start()
        token = secrets.token_urlsafe(24)
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="view") as threads:
            runner = web.AppRunner(_app(token, Api(folder, index, follower), follower, news, threads), access_log=None)
            await runner.setup()
            try:
                site = web.TCPSite(runner, "127.0.0.1", port)
                try:
                    await site.start()
                except OSError as error:
                    raise UsageError(f"port {port} is taken", hint="leave out --port: a free one is chosen") from error
                yield f"http://127.0.0.1:{runner.addresses[0][1]}/{token}/"
            finally:
                news.close()
                await runner.cleanup()
                await asyncio.to_thread(follower.close)


class _News:
    """Wakes every open stream; ``version`` grows."""

    def __init__(self) -> None:
        self.version = 0
        self.closed = False
        self._event = asyncio.Event()

    def tell(self) -> None:
        self.version += 1
        self._event.set()
        self._event = asyncio.Event()

    def close(self) -> None:
        self.closed = True
        self._event.set()

    async def send_to(self, response: web.StreamResponse) -> None:
        """Write each new version as a server-sent event, until the server closes."""
        told = -1
        while not self.closed:
            if self.version != told:
                told = self.version
                await response.write(b"data: %d\n\n" % told)
            else:
                await response.write(b": still here\n\n")
            await asyncio.sleep(_QUIET)
            if self.version == told and not self.closed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._event.wait(), _HEARTBEAT)


def _app(token: str, api: Api, follower: Follower, news: _News, threads: ThreadPoolExecutor) -> web.Application:
    app = web.Application(middlewares=[guarded(token), _say_errors], client_max_size=_MOST_BYTES)
    app.on_response_prepare.append(add_headers)
    assets = _assets()

    def answers(ask: Callable[[web.Request], Json]) -> Handler:
        """A handler that asks in a thread: the event loop waits for no disk."""

        async def handle(request: web.Request) -> web.StreamResponse:
            with follower.giving_way():
                answer = await asyncio.get_running_loop().run_in_executor(threads, ask, request)
            return web.Response(body=orjson.dumps(answer), content_type="application/json")

        return handle

    async def file(request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        if name not in assets:
            raise web.HTTPNotFound
        return web.Response(body=assets[name], content_type=_TYPES[Path(name).suffix], charset="utf-8")

    async def set_mark(request: web.Request) -> web.StreamResponse:
        try:
            data = orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            raise UsageError("a mark is a JSON object") from error
        return await answers(lambda _: api.set_mark(data))(request)

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await news.send_to(response)
        return response

    root = f"/{token}"
    app.router.add_get(f"{root}/", file)
    app.router.add_get(f"{root}/assets/{{name}}", file)
    gets: dict[str, Callable[[web.Request], Json]] = {
        "overview": lambda _: api.overview(),
        "facets": lambda _: api.facets(),
        "pictures": lambda request: api.pictures(request.query.get("map_by", "")),
        "examples": lambda request: api.examples(request.query, request.query.getall("attribute", [])),
        "examples/{unit}": lambda request: api.example(request.match_info["unit"]),
        "examples/{unit}/calls": lambda request: api.calls(request.match_info["unit"]),
        "examples/{unit}/neighbours": lambda request: api.neighbours(request.match_info["unit"]),
    }
    for path, ask in gets.items():
        app.router.add_get(f"{root}/api/{path}", answers(ask))
    app.router.add_get(f"{root}/api/events", events)
    app.router.add_post(f"{root}/api/marks", set_mark)
    return app


@web.middleware
async def _say_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except SynthError as error:
        body = orjson.dumps({"message": error.message, "hint": error.hint})
        return web.Response(body=body, status=400, content_type="application/json")


def _assets() -> dict[str, bytes]:
    """The page's files, read once: a request names one of these or nothing."""
    folders = [files(package) / "assets" for package in ("synth.view", "synth.report")]
    return {
        one.name: one.read_bytes() for folder in folders for one in folder.iterdir() if Path(one.name).suffix in _TYPES
    }
