"""Every fault that an endpoint is known to have, against a real server on loopback: one clear line, nothing lost."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from synth.errors import EndpointUnavailable, FatalModelError, ResponseError, SynthError, TransientError
from synth.messages import Message, StopReason, Tool
from synth.models.caller import CallRecord, UnusableAnswer
from synth.models.client import Request, Sampling
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.recipe.models import ModelSpec
from tests.memory_journal import MemoryJournal
from tests.servers import Abilities, ChatServer, Faults

KEY = "sk-very-secret-0123456789"


def ask(text: str = "hello", **fields: Any) -> Request:
    return Request((Message("user", text),), Sampling(max_tokens=64), **fields)


@asynccontextmanager
async def calling(url: str, **fields: Any) -> AsyncIterator[JournaledCaller]:
    spec = ModelSpec(provider="openai", base_url=url, model="m", **fields)
    async with open_models({"m": spec}, base=Path()) as models:
        yield JournaledCaller(models, MemoryJournal())


async def call(caller: JournaledCaller, request: Request | None = None, key: str = "k") -> CallRecord:
    return await caller.call("m", request or ask(), unit="u", key=key)


@pytest.mark.parametrize(
    "fault",
    [
        "server_error",
        "overloaded",
        "drop",
        "malformed",
        "truncated",
        "html",
        "html_502",
        "empty_choices",
        "bad_utf8",
        "huge",
        "not_an_object",
    ],
)
async def test_what_may_pass_is_tried_again(fault: str) -> None:
    with ChatServer(queue=["ok", fault]) as server:
        async with calling(server.url) as caller:
            await call(caller, key="first")
            record = await call(caller)
    assert record.response.message.content == "hello"
    assert record.tries == 2
    assert server.counts[fault] == 1


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        ("html", "malformed", "answered with an HTML page"),
        ("truncated", "malformed", "was cut off in the middle"),
        ("huge", "malformed", "an answer of more than 8,388,608 bytes"),
        ("empty_choices", "malformed", "answered 200 without a usable choice"),
        ("server_error", "server_error", "answered 500 (The server had an error)"),
        ("html_502", "server_error", "answered 502 (an HTML page, 'Bad gateway')"),
        ("drop", "connection", "the connection to"),
    ],
)
async def test_what_does_not_pass_ends_one_call_with_its_reason(
    fault: str, kind: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth.models.retry._LONGEST_WAIT", 0.02)
    with ChatServer(queue=["ok", *[fault] * 12, "ok"]) as server:
        async with calling(server.url) as caller:
            await call(caller, key="first")
            with pytest.raises(TransientError) as caught:
                await call(caller)
            assert caught.value.kind == kind
            assert told in caught.value.message
            assert (caller.counts.sent, caller.counts.failed) == (1, 1)


@pytest.mark.parametrize(
    ("queue", "told", "hint"),
    [
        (["no_such_model"], "has no model 'm' (404: The model `m` does not exist)", "it serves: other, another"),
        (["no_quota"], "the account has no credit left", "top it up"),
        (
            ["redirect"],
            "points to /v2/chat/completions: this is not a chat completions endpoint",
            "up to and including",
        ),
    ],
)
async def test_what_no_retry_mends_stops_at_once(queue: list[str], told: str, hint: str) -> None:
    able = Abilities(models=[{"id": "other"}, {"id": "another"}])
    with ChatServer(queue=queue, abilities=able) as server:
        async with calling(server.url) as caller:
            with pytest.raises(FatalModelError) as caught:
                await call(caller)
    assert told in caught.value.message
    assert hint in caught.value.hint
    assert server.counts["requests"] == 1


async def test_a_wrong_key_stops_at_once_and_is_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ChatServer(abilities=Abilities(api_key="another")) as server:
        async with calling(server.url, api_key=KEY, headers={"X-Team": "secret-team"}) as caller:
            with pytest.raises(FatalModelError) as caught:
                await call(caller)
    error: BaseException | None = caught.value
    assert "does not accept the API key (401: Incorrect API key provided: Bearer ***)" in caught.value.message
    while error is not None:
        assert KEY not in repr(error)
        error = error.__cause__ or error.__context__
    assert KEY not in caplog.text
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert server.headers[0]["X-Team"] == "secret-team"


async def test_a_line_break_in_the_key_is_named_before_anything_is_sent() -> None:
    with pytest.raises(SynthError, match="has a character that HTTP does not allow") as caught:
        async with calling("http://127.0.0.1:9/v1", api_key=KEY + "\n"):
            pass
    assert KEY not in str(caught.value)


async def test_a_request_too_long_for_the_context_is_refused_alone() -> None:
    with ChatServer(queue=["context_length"]) as server:
        async with calling(server.url) as caller:
            with pytest.raises(ResponseError) as caught:
                await call(caller)
            assert caught.value.kind == "context_length"
            assert (await call(caller, key="next")).tries == 1


async def test_nothing_listening_at_the_start_is_a_mistake_to_mend() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        async with calling(f"http://127.0.0.1:{held.getsockname()[1]}/v1") as caller:
            with pytest.raises(FatalModelError, match="nothing accepts connections at http://127") as caught:
                await call(caller)
    assert caught.value.hint == "start the server, or correct base_url"


async def test_a_host_that_does_not_exist_is_a_mistake_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*args: object, **kwargs: object) -> list[object]:
        raise OSError("Name or service not known")

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolve)
    async with calling("http://no-such-host.invalid/v1") as caller:
        with pytest.raises(FatalModelError, match=r"the host of http://no-such-host.invalid/v1 cannot be found"):
            await call(caller)


async def test_a_tls_failure_is_a_mistake_to_mend() -> None:
    with ChatServer() as server:  # it speaks no TLS
        async with calling(server.url.replace("http://", "https://")) as caller:
            with pytest.raises(FatalModelError, match="no TLS connection to https://127") as caught:
                await call(caller)
    assert "a server without TLS wants http://" in caught.value.hint
    assert isinstance(caught.value.__cause__, ssl.SSLError | OSError)


async def test_a_certificate_nobody_vouches_for_is_refused_until_its_authority_is_named(tmp_path: Path) -> None:
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with ChatServer(tls=tls) as server:
        async with calling(server.url) as caller:
            with pytest.raises(FatalModelError, match="no TLS connection to https://127") as caught:
                await call(caller)
        assert "certificate verify failed" in caught.value.message
        assert "SSL_CERT_FILE names a private authority" in caught.value.hint
        (tmp_path / "r.yaml").write_text(
            f"name: r\nmodels: {{m: {{provider: openai, model: m, base_url: '{server.url}'}}}}\n"
            "generate: [{kind: custom, count: 1, steps: [{as: said, prompt: hello}],"
            " output: {messages: [{role: user, content: '{{ said }}'}]}}]\n"
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "synth", "check", str(tmp_path / "r.yaml")),
            env={**os.environ, "SSL_CERT_FILE": str(tmp_path / "ca.pem")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    assert server.counts["ok"] > 0


async def test_a_server_that_goes_away_and_comes_back_loses_nothing() -> None:
    with ChatServer() as server:
        async with calling(server.url) as caller:
            await call(caller, key="first")
            await asyncio.to_thread(server.stop)
            waiting = asyncio.create_task(call(caller))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            await asyncio.to_thread(server.restart)
            record = await waiting
    assert record.tries > 1
    assert record.response.message.content == "hello"


async def test_a_server_that_accepts_and_never_answers_is_given_up() -> None:
    with ChatServer(queue=["ok", "hang"]) as server:
        async with calling(server.url, timeout=0.3) as caller:
            await call(caller, key="first")
            record = await call(caller)
    assert record.tries == 2


async def test_a_slow_answer_is_no_failure_while_others_come() -> None:
    with ChatServer(queue=["dribble"], faults=Faults(latency=0.01)) as server:
        async with calling(server.url, timeout=0.3) as caller:
            record = await call(caller)
    assert record.tries == 1  # it took a second, but something came of it all the while


async def test_one_hung_request_among_many_is_overtaken_and_sent_again() -> None:
    with ChatServer(queue=["ok", "hang"], faults=Faults(latency=0.02)) as server:
        async with calling(server.url, timeout=0.3, concurrency=4) as caller:
            records = await asyncio.gather(*(call(caller, key=str(n)) for n in range(100)))
    assert server.counts["hang"] == 1
    assert max(record.tries for record in records) >= 2
    assert all(record.response.message.content == "hello" for record in records)


async def test_retry_after_holds_back_the_whole_endpoint() -> None:
    with ChatServer(queue=["ok", "busy"], faults=Faults(retry_after="1")) as server:
        async with calling(server.url) as caller:
            await call(caller, key="first")
            busy = asyncio.create_task(call(caller))
            await asyncio.sleep(0.2)
            others = [asyncio.create_task(call(caller, key=str(n))) for n in range(3)]
            await asyncio.gather(busy, *others)
    waits = [arrival - server.arrivals[1] for arrival in server.arrivals[2:]]
    assert len(waits) == 4
    assert min(waits) >= 0.99


async def test_an_absurd_retry_after_ends_the_endpoint_with_a_clear_word() -> None:
    with ChatServer(queue=["ok", "busy"], faults=Faults(retry_after="86400")) as server:
        async with calling(server.url) as caller:
            await call(caller, key="first")
            with pytest.raises(EndpointUnavailable, match="asks to wait 24 hours before the next request") as caught:
                await call(caller)
    assert caught.value.exit_code == 3
    assert server.counts["requests"] == 2


@pytest.mark.parametrize(("finish", "kind"), [("length", "length"), ("content_filter", "content_filter")])
async def test_a_cut_or_filtered_answer_is_a_failure_of_its_own(finish: str, kind: str) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        return {"role": "assistant", "content": "half an ans", "finish_reason": finish}

    with ChatServer(answer=answer) as server:
        async with calling(server.url) as caller:
            with pytest.raises(UnusableAnswer) as caught:
                await call(caller)
    assert (caught.value.kind, caught.value.text) == (kind, "half an ans")
    assert server.counts["requests"] == 1


async def test_twenty_failed_calls_in_a_row_stop_the_run() -> None:
    with ChatServer(Faults(malformed=1.0)) as server:
        async with calling(server.url) as caller:
            results = await asyncio.gather(*(call(caller, key=str(n)) for n in range(30)), return_exceptions=True)
    fatal = [result for result in results if isinstance(result, FatalModelError)]
    assert "20 calls in a row failed at" in fatal[0].message
    assert "not JSON" in fatal[0].message


@pytest.mark.parametrize(
    ("able", "sent"),
    [
        (Abilities(), ["json_schema"] * 4),
        (Abilities(json_schema=False), ["json_schema", *["json_object"] * 4]),
        (Abilities(json_schema=False, json_object=False), ["json_schema", "json_object", *[None] * 4]),
    ],
)
async def test_what_the_endpoint_takes_is_found_out_once(able: Abilities, sent: list[str | None]) -> None:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    with ChatServer(abilities=able, answer=lambda body: '{"ok": true}') as server:
        async with calling(server.url) as caller:
            await asyncio.gather(*(call(caller, ask(str(n), schema=schema), str(n)) for n in range(4)))
    assert [body.get("response_format", {}).get("type") for body in server.bodies] == sent
    strict = server.bodies[-1].get("response_format", {}).get("type") == "json_schema"
    assert ("JSON Schema" in server.bodies[-1]["messages"][0]["content"]) == (not strict)


async def test_an_endpoint_that_ignores_a_schema_is_asked_in_words_from_then_on() -> None:
    with ChatServer(answer=lambda body: "Yes, it is.") as server:
        async with calling(server.url) as caller:
            for number in range(4):
                await call(caller, ask(str(number), schema={"type": "object"}), str(number))
    ways = [body.get("response_format", {}).get("type") for body in server.bodies]
    assert ways == ["json_schema", "json_object", None, None]


@pytest.mark.parametrize(("fault", "tries"), [("busy_inside", 2), ("error_inside", 2)])
async def test_an_error_inside_a_200_is_an_error(fault: str, tries: int) -> None:
    with ChatServer(queue=["ok", fault]) as server:
        async with calling(server.url, api_key=KEY) as caller:
            await call(caller, key="first")
            assert (await call(caller)).tries == tries


async def test_an_endpoint_that_never_answers_anything_is_a_mistake_to_mend() -> None:
    with ChatServer(Faults(hang=1.0)) as server:
        async with calling(server.url, timeout=0.2) as caller:
            with pytest.raises(FatalModelError, match=r"has answered nothing, twice for 0.2 s"):
                await call(caller)


async def test_a_model_that_wants_max_completion_tokens_gets_it() -> None:
    with ChatServer(abilities=Abilities(max_tokens=False)) as server:
        async with calling(server.url) as caller:
            await call(caller)
            await call(caller, key="next")
    assert [sorted({"max_tokens", "max_completion_tokens"} & body.keys()) for body in server.bodies] == [
        ["max_tokens"],
        ["max_completion_tokens"],
        ["max_completion_tokens"],
    ]


async def test_a_tool_call_written_as_text_is_recognised() -> None:
    tool = Tool("search", "Search.", {"type": "object"})
    text = 'Let me look.\n<tool_call>\n{"name": "search", "arguments": {"query": "shoes"}}\n</tool_call>'
    with ChatServer(answer=lambda body: text) as server:
        async with calling(server.url) as caller:
            record = await call(caller, ask(tools=(tool,)))
    message = record.response.message
    assert message.content == "Let me look."
    assert [(made.name, made.arguments) for made in message.tool_calls] == [("search", '{"query":"shoes"}')]
    assert record.response.stop is StopReason.TOOL_CALLS


async def test_reasoning_is_kept_apart_and_missing_usage_is_marked() -> None:
    with ChatServer(answer=lambda body: "<think>\nhm\n</think>\n\n42", abilities=Abilities(usage=False)) as server:
        async with calling(server.url) as caller:
            response = (await call(caller)).response
    assert (response.message.reasoning, response.message.content) == ("hm", "42")
    assert response.usage_estimated
    assert response.usage.total > 0
