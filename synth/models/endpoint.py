"""One HTTP endpoint: a session, its secrets, and bounded reading of what it answers."""

from __future__ import annotations

import codecs
import io
import json
import re
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import orjson
from yarl import URL

from synth.errors import SynthError, TransientError, UsageError
from synth.messages import Json
from synth.models.http_errors import error_of_exception, error_of_status
from synth.models.secrets import Secrets, basic_token
from synth.models.text import valid_text

MAX_ANSWER_BYTES = 8 * 2**20
MAX_LOGPROBS_BYTES = 128 * 2**20
_CONNECT_SECONDS = 30.0
_KEEPALIVE_SECONDS = 120.0
_ALMOST_JSON = re.compile(rb"\\ud|-Infinity", re.IGNORECASE)
_LEAST_LOGPROB = -9999.0  # as OpenAI writes it
_LARGE_BODY = 2**20  # aiohttp warns of bytes beyond this and wants a file


class Endpoint:
    """Where requests go: ``base_url`` up to and including ``/v1``, and what authenticates them.

    A user and a password in the URL become the header that they stand for; ``base_url`` is without them from then on.
    ``own_server``: synth runs the server there, so that a refused connection is one to wait for.

    Raises ``UsageError`` for an address or a key that cannot be.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        own_server: bool = False,
    ) -> None:
        url = _parse_url(base_url)
        basic = basic_token(url)
        self.base_url = (base_url if basic is None else str(url.with_user(None))).rstrip("/")
        self._chat_url = self._url("/chat/completions")
        self._own_server = own_server
        self.on_progress: Callable[[], None] = lambda: None
        """Called in the task whose answer comes in parts, with each part but the last."""
        self._secrets = Secrets(url, (api_key, *(headers or {}).values()))
        self.where = self.scrub(self.base_url.partition("?")[0])
        """How messages name this endpoint: never with a secret."""
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        if api_key and basic is not None:
            raise UsageError(
                f"{self.where} has an API key, and a user or a password in its URL: a request carries one of them",
                hint="leave one out, or give a further header in `headers`",
            )
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        elif basic is not None:
            self._headers["Authorization"] = f"Basic {basic}"
        for value in self._headers.values():
            if not value.isprintable() or not value.isascii():
                raise UsageError(
                    f"a header or the API key for {self.where} has a character that HTTP does not allow",
                    hint="look for a line break or white space around the key",
                )
        self._session: aiohttp.ClientSession | None = None
        self.answered = False

    def scrub(self, text: str) -> str:
        """``text`` without any secret of this endpoint."""
        return self._secrets.scrub(text)

    async def chat(self, body: bytes, *, model: str, sample: str = "", max_bytes: int = MAX_ANSWER_BYTES) -> Json:
        """POST a chat completion and return the JSON object that came.

        ``sample`` tells equal requests apart, where an answer may come after this process has ended. Raises
        ``TransientError``, ``ResponseError`` or ``FatalModelError``.
        """
        return await self._post(self._chat_url, body, model, max_bytes)

    async def post(self, path: str, body: bytes, *, model: str, max_bytes: int = MAX_LOGPROBS_BYTES) -> Json:
        """POST to ``path`` under the base URL; raises as :meth:`chat` does."""
        return await self._post(self._url(path), body, model, max_bytes)

    def _url(self, path: str) -> URL:
        """``path`` under the base URL, whose query (such as an API version) goes with every request."""
        base, mark, query = self.base_url.partition("?")
        return URL(base.rstrip("/") + path + mark + query)

    async def _post(self, url: URL, body: bytes, model: str, max_bytes: int) -> Json:
        data: bytes | io.BytesIO = body if len(body) < _LARGE_BODY else io.BytesIO(body)
        session = self._session or self._open_session()
        try:
            response = await session.post(url, data=data, allow_redirects=False)
            try:
                content = await self._read(response, max_bytes)
            finally:
                response.release()
        except (aiohttp.ClientError, OSError) as error:
            raise error_of_exception(self.where, error, at_start=not (self.answered or self._own_server)) from error
        if content is None:
            raise TransientError(f"{self.where} sent an answer of more than {max_bytes:,} bytes", kind="malformed")
        status = response.status
        if status == 200:
            parsed = self._parse(content)
            status = _status_inside(parsed)
            if status == 200:
                self.answered = True
                return parsed
        failure = error_of_status(
            self.where, model, status, response.headers, content, at_start=not self.answered, scrub=self.scrub
        )
        raise await self._no_such_model(model, failure) if status == 404 else failure

    async def get(self, path: str) -> Json:
        """GET ``path`` under the base URL and return the JSON object that came; raises as :meth:`chat` does."""
        session = self._session or self._open_session()
        timeout = aiohttp.ClientTimeout(total=_CONNECT_SECONDS)
        try:
            async with session.get(self._url(path), allow_redirects=False, timeout=timeout) as response:
                content = await self._read(response, MAX_ANSWER_BYTES)
        except (aiohttp.ClientError, OSError) as error:
            raise error_of_exception(self.where, error, at_start=not (self.answered or self._own_server)) from error
        if response.status != 200:
            raise error_of_status(
                self.where, path, response.status, response.headers, content or b"", at_start=True, scrub=self.scrub
            )
        return self._parse(content or b"")

    async def list_models(self) -> list[Json]:
        """The models that the endpoint says it serves, in its own words; empty where it does not tell."""
        try:
            data = (await self.get("/models")).get("data")
        except SynthError:
            return []
        return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open_session(self) -> aiohttp.ClientSession:
        # The limiter bounds what is in flight, so the pool must not: a second queue would hide in it.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_SECONDS, ttl_dns_cache=300)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=_find_proxy(self._chat_url),
        )
        return self._session

    async def _read(self, response: aiohttp.ClientResponse, max_bytes: int) -> bytes | None:
        """The whole body, or None where it is longer than ``max_bytes``."""
        stream = response.content
        content = await stream.readany()
        if stream.at_eof():
            return content if len(content) <= max_bytes else None
        parts = [content]
        size = len(content)
        while not stream.at_eof():
            self.on_progress()
            content = await stream.readany()
            parts.append(content)
            size += len(content)
            if size > max_bytes:
                response.close()
                return None
        return b"".join(parts)

    def _parse(self, content: bytes) -> Json:
        try:
            data = parse_json(content)
        except (ValueError, RecursionError) as error:
            start = content[:200].decode("utf-8", "replace").lstrip()
            what = "an HTML page" if start.startswith("<") else "a body that is not JSON"
            raise TransientError(f"{self.where} answered with {what}", kind="malformed") from error
        if not isinstance(data, dict):
            raise TransientError(f"{self.where} answered with JSON that is no object", kind="malformed")
        return data

    async def _no_such_model(self, model: str, error: SynthError) -> SynthError:
        names = [str(entry.get("id")) for entry in await self.list_models()]
        if model in names:
            return TransientError(error.message, kind="server_error")
        if names:
            error.hint = self.scrub(f"it serves: {', '.join(names[:20])}")
        return error


def _parse_url(base_url: str) -> URL:
    try:
        return URL(base_url)
    except ValueError:  # it may quote what comes before the host
        raise UsageError(
            "a base_url is no usable address",
            hint="look at its host and port; a character such as / or # in a password is written %2F or %23",
        ) from None


def parse_json(content: bytes) -> Any:
    """JSON, also with what servers put into it that is none: a byte order mark, half of an escaped character (where a
    text was cut in the middle of one), and ``-Infinity``, the logarithm of a probability of 0."""
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        if not _ALMOST_JSON.search(content):
            raise
    value = json.loads(content, parse_constant=_constant)
    return orjson.loads(valid_text(json.dumps(value, ensure_ascii=False)))


def _constant(name: str) -> float:
    if name != "-Infinity":
        raise ValueError(f"{name} is no JSON")
    return _LEAST_LOGPROB


def _status_inside(data: Json) -> int:
    """200, or what went wrong behind a gateway that says so in the body of a 200."""
    error = data.get("error")
    if not error or "choices" in data:
        return 200
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _find_proxy(url: URL) -> str | None:
    """The environment's proxy for ``url``. Found once: aiohttp's own ``trust_env`` asks a thread with each request."""
    host = url.host or ""
    if urllib.request.proxy_bypass(f"{host}:{url.port}"):
        return None
    return urllib.request.getproxies().get(url.scheme)
