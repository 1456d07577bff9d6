"""The embedded provider with the real default model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import jsonschema
import psutil
import pytest
import pytest_asyncio

from synth.errors import FatalModelError
from synth.messages import Message, StopReason, Tool
from synth.models.client import Request, Sampling
from synth.models.embedded.provider import EmbeddedServer
from synth.models.model import Model
from synth.models.open import open_models
from synth.models.retry import send
from synth.recipe.models import ModelSpec

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

GREEDY = Sampling(temperature=0.0, max_tokens=96)
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
WEATHER = Tool(
    "get_weather",
    "Look up the weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def ask(text: str, **fields: object) -> Request:
    return Request((Message("user", text),), **{"sampling": GREEDY, **fields})  # type: ignore[arg-type]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Model]:
    folder = tmp_path_factory.mktemp("run")
    specs = {"teacher": ModelSpec(provider="embedded", model=str(model_file))}
    async with open_models(specs, base=folder, run_dir=folder) as models:
        yield models["teacher"]


@pytest.fixture(scope="module")
def server(model: Model) -> EmbeddedServer:
    assert isinstance(model.server, EmbeddedServer)
    return model.server


def server_process(server: EmbeddedServer) -> psutil.Process:
    [process] = psutil.Process(server.pid).children()
    return process


async def test_it_chats(model: Model, server: EmbeddedServer) -> None:
    response = await model.client.complete(ask("What is the capital of France? Answer with one word."))
    assert "Paris" in (response.message.content or "")
    assert response.stop is StopReason.STOP
    assert response.usage.input > 10
    assert response.usage.output >= 1
    assert response.model == server.name


async def test_an_answer_that_is_cut_off_says_so(model: Model) -> None:
    response = await model.client.complete(
        ask("Write a long poem about the sea.", sampling=Sampling(temperature=0.0, max_tokens=8))
    )
    assert response.stop is StopReason.LENGTH
    assert response.usage.output == 8


async def test_an_answer_follows_a_json_schema(model: Model) -> None:
    response = await model.client.complete(ask("Invent a person.", schema=SCHEMA))
    jsonschema.validate(json.loads(response.message.content or ""), SCHEMA)


async def test_a_tool_is_called(model: Model) -> None:
    request = ask("What is the weather in Oslo?", tools=(WEATHER,), tool_choice="required")
    response = await model.client.complete(request)
    [call] = response.message.tool_calls
    assert call.name == "get_weather"
    assert "Oslo" in json.loads(call.arguments)["city"]


async def test_the_same_seed_gives_the_same_answer(model: Model) -> None:
    request = ask("Tell me a joke.", sampling=Sampling(temperature=1.0, max_tokens=24), seed=5)
    await model.client.complete(request)  # from here on both prompts are cached, so both are computed alike
    one = await model.client.complete(request)
    assert (await model.client.complete(request)).message == one.message


async def test_eight_at_once_stay_well_under_three_gigabytes(model: Model, server: EmbeddedServer) -> None:
    long = "word " * 500
    requests = [ask(f"{i}. How many words? {long}", sampling=Sampling(max_tokens=16)) for i in range(8)]
    answers = await asyncio.gather(*(model.client.complete(request) for request in requests))
    assert all(answer.usage.input > 500 for answer in answers)
    assert server_process(server).memory_info().rss < 2 * 2**30


@pytest.mark.parametrize("victim", ["server", "guard"])
async def test_nothing_is_lost_when_the_server_is_killed(model: Model, server: EmbeddedServer, victim: str) -> None:
    sampling = Sampling(max_tokens=40)
    calls = [asyncio.create_task(send(model, ask(f"Tell me about {i}.", sampling=sampling), 64)) for i in range(16)]
    done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) < len(calls)
    before = server.base_url
    pid = server_process(server).pid if victim == "server" else server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    answers = await asyncio.gather(*calls)
    assert all(answer.response.message.content for answer in answers)
    assert any(answer.tries > 1 for answer in answers)
    assert server.base_url == before


async def test_two_servers_can_start_at_once(model_file: Path, tmp_path: Path) -> None:
    servers = [EmbeddedServer(str(model_file), logs=tmp_path / str(i), parallel=1) for i in range(2)]
    try:
        urls = await asyncio.gather(*(server.start() for server in servers))
        assert len(set(urls)) == 2
        await asyncio.gather(*(server.ensure_alive() for server in servers))
    finally:
        await asyncio.gather(*(server.stop() for server in servers))


async def test_a_cut_off_model_file_is_told_in_the_words_of_llama_cpp(model_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    with model_file.open("rb") as file:
        path.write_bytes(file.read(50_000_000))
    server = EmbeddedServer(str(path), logs=tmp_path)
    with pytest.raises(FatalModelError, match="the server of cut did not start") as caught:
        await server.start()
    assert "model is corrupted or incomplete" in caught.value.message
    assert str(tmp_path / "cut.log") in caught.value.hint
