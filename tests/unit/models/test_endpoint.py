"""An endpoint against a server that says whatever the test wants: what it learns of secrets, and what it reads."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from synth.errors import SynthError, TransientError, UsageError
from synth.messages import Message
from synth.models.batch.endpoint import BatchEndpoint
from synth.models.client import Request, Sampling
from synth.models.endpoint import Endpoint
from synth.models.open import open_models
from synth.models.openai_compatible import OpenAICompatible
from synth.models.retry import send
from synth.recipe.models import ModelSpec

KEY = "sk-very/secret-0123456789"
PASSWORD = "pass%2Fw0rd"
ASK = Request((Message("user", "hi"),), Sampling(max_tokens=9))


@dataclass
class Server:
    """Answers every POST with ``body``, every GET with ``models``."""

    address: str = ""
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    models: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    react: Callable[[dict[str, Any]], tuple[int, str]] | None = None
    """The status and the body for the body of a request."""

    def url(self, path: str = "/v1", login: str = "") -> str:
        return f"http://{login}{self.address}{path}"

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, request.headers.get("Authorization")))
        self.paths.append(request.raw_path)
        if request.method == "GET":
            return web.json_response({"data": self.models})
        if self.react is not None:
            self.bodies.append(await request.json())
            status, text = self.react(self.bodies[-1])
            return web.Response(status=status, text=text)
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", one.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.address = f"127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


async def failure(endpoint: Endpoint) -> str:
    client = OpenAICompatible(endpoint, "m")
    with pytest.raises(SynthError) as caught:
        await client.complete(ASK)
    await client.aclose()
    return caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "said",
    [
        {"choices": [], "error": {"message": f"incorrect key {KEY}"}},
        {"choices": [{"message": None}], "error": f"incorrect key {KEY}"},
        {"error": {"message": f"incorrect key {KEY}", "code": 401}},
    ],
)
async def test_no_error_inside_a_200_shows_the_key(server: Server, said: dict[str, Any]) -> None:
    server.body = orjson.dumps(said)
    told = await failure(Endpoint(server.url(), api_key=KEY))
    assert KEY not in told
    assert "incorrect key ***" in told


async def test_no_redirect_and_no_list_of_models_shows_the_key(server: Server) -> None:
    server.status, server.headers = 307, {"Location": f"/v2?key={KEY}"}
    assert "points to /v2?key=***" in await failure(Endpoint(server.url(), api_key=KEY))
    server.status, server.models = 404, [{"id": f"model-of-{KEY}"}]
    assert (await failure(Endpoint(server.url(), api_key=KEY))).endswith("it serves: model-of-***")


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 500])
async def test_no_message_shows_the_user_and_password_of_the_url(server: Server, status: int) -> None:
    token = base64.b64encode(b"someone:pass/w0rd").decode()
    server.status = status
    server.headers = {"Location": f"http://someone:{PASSWORD}@elsewhere/"}
    server.body = f"no: someone, {PASSWORD}, pass/w0rd, Basic {token}".encode()
    endpoint = Endpoint(server.url(login=f"someone:{PASSWORD}@"))
    told = await failure(endpoint)
    assert [secret for secret in ("someone", PASSWORD, "pass/w0rd", token) if secret in told] == []
    assert server.url() in told
    assert server.asked[0][1] == f"Basic {token}"
    assert endpoint.base_url == server.url()


async def test_no_message_shows_a_key_in_the_path(server: Server) -> None:
    server.status, server.body = 404, b"nothing at /gateway/sk-supersecret123/v1/chat/completions"
    told = await failure(Endpoint(server.url("/gateway/sk-supersecret123/v1")))
    assert "sk-supersecret123" not in told
    assert f"{server.url('/gateway/***/v1')} has no model" in told
    assert server.asked[0][0] == "/gateway/sk-supersecret123/v1/chat/completions"


async def test_the_query_of_the_url_goes_with_every_request(server: Server) -> None:
    server.body = b'{"id": "file", "status": "completed"}'
    url = server.url("/a%2Fb/v1?key=sk-supersecret123")
    endpoint, batches = Endpoint(url), BatchEndpoint(url, name="m", most=1, ledger=None)
    await endpoint.chat(b"{}", model="m")
    await endpoint.list_models()
    await batches._api.upload(b"{}\n")
    await endpoint.aclose()
    await batches.aclose()
    assert server.paths == [f"/a%2Fb/v1/{end}?key=sk-supersecret123" for end in ("chat/completions", "models", "files")]


async def test_no_message_shows_a_percent_encoded_key(server: Server) -> None:
    server.status, server.body = 401, b"bad key sk%2Dvery%2fsecret-0123456789"
    assert "(401: bad key ***)" in await failure(Endpoint(server.url(), api_key=KEY))


def _refuse_format(body: dict[str, Any], ways: dict[str, tuple[int, str]]) -> tuple[int, str]:
    return ways.get(
        body.get("response_format", {}).get("type", "prompt"), (200, '{"choices": [{"message": {"content": "{}"}}]}')
    )


@pytest.mark.parametrize(
    ("ways", "sent"),
    [
        (
            {"json_schema": (422, "odd"), "json_object": (400, "Unknown field")},
            ["json_schema", "json_object", "prompt"],
        ),
        ({"json_schema": (500, "Internal error")}, ["json_schema", "json_schema", "json_object"]),
        ({"json_schema": (502, "Bad gateway")}, ["json_schema"] * 6),
        (
            dict.fromkeys(["json_schema", "json_object", "prompt"], (400, "max_tokens")),
            ["json_schema", "json_object", "prompt"],
        ),
    ],
    ids=["refused", "crashed", "down", "the request's own fault"],
)
async def test_a_lower_way_is_tried_whatever_the_endpoint_says_of_a_schema(
    server: Server, tmp_path: Path, ways: dict[str, tuple[int, str]], sent: list[str]
) -> None:
    server.react = lambda body: _refuse_format(body, ways)
    spec = ModelSpec(provider="openai", base_url=server.url(), model="m")
    asking = replace(ASK, schema={"type": "object"})
    async with open_models({"m": spec}, base=tmp_path, run_dir=tmp_path) as models:
        with contextlib.suppress(SynthError):
            await send(models["m"], asking, 0)
        assert [body.get("response_format", {}).get("type", "prompt") for body in server.bodies] == sent
        client = models["m"].client
        assert isinstance(client, OpenAICompatible)
        assert client.structured_way == ("json_schema" if sent[-1] == "json_schema" or "prompt" in ways else sent[-1])


@pytest.mark.parametrize("batch", [False, True])
async def test_a_limiter_is_named_without_secrets(server: Server, tmp_path: Path, batch: bool) -> None:
    url = server.url("/sk-supersecret123/v1", login=f"someone:{PASSWORD}@")
    spec = ModelSpec(provider="openai", base_url=url, model="m", batch=batch)
    async with open_models({"m": spec}, base=tmp_path, run_dir=tmp_path) as models:
        assert models["m"].limiter.where == server.url("/***/v1")
        assert models["m"].address == server.url("/sk-supersecret123/v1")


async def test_batches_carry_the_user_and_password_of_the_url(server: Server) -> None:
    endpoint = BatchEndpoint(server.url(login=f"someone:{PASSWORD}@"), name="m", most=1, ledger=None)
    server.status, server.body = 401, f"not {PASSWORD}".encode()
    assert PASSWORD not in await failure(endpoint)
    assert server.asked == [("/v1/files", f"Basic {base64.b64encode(b'someone:pass/w0rd').decode()}")]


def test_an_address_that_cannot_be_is_not_shown() -> None:
    with pytest.raises(UsageError, match="no usable address") as caught:
        Endpoint("http://someone:secret/word@host/v1")
    assert "secret" not in str(caught.value) + repr(caught.value.__cause__)


def test_one_request_carries_one_credential() -> None:
    with pytest.raises(UsageError, match="http://host/v1 has an API key, and a user or a password") as caught:
        Endpoint(f"http://someone:{PASSWORD}@host/v1", api_key=KEY)
    assert PASSWORD not in caught.value.message


async def test_half_an_escaped_character_is_no_malformed_body(server: Server) -> None:
    server.body = rb'{"choices": [{"message": {"content": "a\ud83d \\ud83d \ud83d\ude00"}}]}'
    client = OpenAICompatible(Endpoint(server.url()), "m")
    response = await client.complete(ASK)
    await client.aclose()
    assert response.message.content == "a\ufffd \\ud83d \U0001f600"


@pytest.mark.parametrize("body", [b'\xef\xbb\xbf{"a": -9999.0}', b'{"a": -Infinity}'])
async def test_a_byte_order_mark_and_the_logarithm_of_0_are_read(server: Server, body: bytes) -> None:
    server.body = body
    endpoint = Endpoint(server.url())
    assert await endpoint.chat(b"{}", model="m") == {"a": -9999.0}
    await endpoint.aclose()


@pytest.mark.parametrize("body", [rb'{"a": "\ud83d', rb'{"a": "\ud83d", "b": NaN}', rb'"\ud83d"' + b"[" * 100_000])
async def test_what_is_no_json_is_malformed_whatever_it_escapes(server: Server, body: bytes) -> None:
    server.body = body
    endpoint = Endpoint(server.url())
    with pytest.raises(TransientError, match="a body that is not JSON"):
        await endpoint.chat(b"{}", model="m")
    await endpoint.aclose()
