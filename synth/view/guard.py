"""Who may ask, and what a browser may do with the answer.

The page is for whoever was given its address: it answers only at 127.0.0.1, only under a random token, and only to
requests that name this host, so that no other site's page can reach it (DNS rebinding). What it shows was written by
models and may be anything: the content policy lets no script run and nothing load but the page's own files.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """For ``on_response_prepare``: every answer has them, refusals too."""
    response.headers.update(HEADERS)


def guarded(token: str) -> Middleware:
    """Middleware that refuses (403) whoever has not the token, or comes from elsewhere."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        port = request.transport.get_extra_info("sockname")[1] if request.transport is not None else 0
        hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        if request.host not in hosts:
            raise web.HTTPForbidden(text="this page answers only at 127.0.0.1\n")
        given = request.path.split("/")[1]
        if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
            raise web.HTTPForbidden(text="open the whole address that synth view printed\n")
        if request.method not in {"GET", "HEAD"}:
            origin = request.headers.get("Origin")
            if origin is not None and origin not in {f"http://{host}" for host in hosts}:
                raise web.HTTPForbidden(text="marks are set from the page itself\n")
            if request.content_type != "application/json":
                raise web.HTTPUnsupportedMediaType(text="marks are JSON\n")
        return await handler(request)

    return guard
