"""A real vLLM, started through synth. Each start takes about half a minute, so most tests share one server."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import psutil
import pytest
import pytest_asyncio

from synth.errors import FatalModelError, ResponseError
from synth.messages import Message
from synth.models.client import Request, Sampling
from synth.models.corrsynth.member import XARGS, Member
from synth.models.model import Model
from synth.models.open import open_models
from synth.models.vllm import health
from synth.models.vllm.server import VllmServer
from synth.recipe.models import ModelSpec
from tests.live.vllm.processes import still_alive

PYTHON, MODEL = os.environ.get("SYNTH_VLLM_PYTHON", ""), os.environ.get("SYNTH_VLLM_MODEL", "")
pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900), pytest.mark.asyncio(loop_scope="module")]

CPU = {"VLLM_CPU_KVCACHE_SPACE": "1"}
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Model]:
    spec = ModelSpec(
        provider="vllm", model=MODEL, python=PYTHON, args=["--enforce-eager"], env=CPU, context_length=1024
    )
    folder = tmp_path_factory.mktemp("vllm")
    async with open_models({"teacher": spec}, base=folder, run_dir=folder, decoding=["teacher"]) as models:
        yield models["teacher"]


def ask(text: str, **fields: object) -> Request:
    return Request((Message("user", text),), **{"sampling": Sampling(temperature=0, max_tokens=48), **fields})  # type: ignore[arg-type]


async def test_it_answers(model: Model) -> None:
    response = await model.client.complete(ask("What is the capital of France? Answer with one word."))
    assert "Paris" in (response.message.content or "")
    assert response.usage.input > 10


async def test_an_answer_follows_a_json_schema(model: Model) -> None:
    response = await model.client.complete(ask("Invent a person.", schema=SCHEMA))
    jsonschema.validate(json.loads(response.message.content or ""), SCHEMA)


async def test_logprobs_come_when_asked_for(model: Model) -> None:
    response = await model.client.complete(ask("Say yes.", top_logprobs=3))
    assert response.logprobs is not None
    assert len(response.logprobs["content"][0]["top_logprobs"]) == 3


async def test_a_group_is_decoded_by_corrsynth(model: Model) -> None:
    members = [Member("group", 2, label, "cross", 1.0, 0.5, 0.001) for label in "ab"]
    requests = [
        ask("Say hello.", sampling=Sampling(temperature=0, max_tokens=8, extra={XARGS: member.to_xargs()}))
        for member in members
    ]
    responses = await asyncio.gather(*(model.client.complete(request) for request in requests))
    assert all(response.message.content for response in responses)
    wrong = replace(members[0], delta=3).to_xargs()  # only the plugin minds
    with pytest.raises(ResponseError, match="corrsynth_delta must lie between 0 and gamma"):
        await model.client.complete(ask("Say hello.", sampling=Sampling(extra={XARGS: wrong})))


async def test_the_context_length_is_kept(model: Model) -> None:
    long = ask("Repeat this: " + "word " * 700, sampling=Sampling(temperature=0, max_tokens=1000))
    response = await model.client.complete(long)
    assert response.usage.input + response.usage.output <= 1024
    with pytest.raises(ResponseError) as caught:
        await model.client.complete(ask("word " * 3000))
    assert caught.value.kind == "context_length"


async def test_a_running_server_is_used_and_asked_for_its_context_length(model: Model, tmp_path: Path) -> None:
    spec = ModelSpec(provider="vllm", model=Path(MODEL).name, base_url=model.address)
    async with open_models({"there": spec}, base=tmp_path, run_dir=tmp_path) as models:
        long = ask("Repeat this: " + "word " * 700, sampling=Sampling(temperature=0, max_tokens=1000))
        response = await models["there"].client.complete(long)
    assert response.usage.input + response.usage.output <= 1024


async def test_an_engine_that_hangs_is_noticed_and_the_server_comes_back(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(model.server, VllmServer)
    before = processes(model.server)
    await model.server.ensure_alive()
    assert processes(model.server) == before
    engine, *_ = (process for process in before if "EngineCore" in " ".join(process.cmdline()))
    engine.suspend()
    monkeypatch.setattr(health, "PROBE_SECONDS", 3.0)
    await model.server.ensure_alive()
    response = await model.client.complete(ask("Say hello."))
    assert response.message.content
    assert still_alive(before) == []


def processes(server: VllmServer) -> list[psutil.Process]:
    assert server.pid is not None
    found = psutil.Process(server.pid)
    return [found, *found.children(recursive=True)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"args": ["--enforce-eager", "--no-such-option", "3"]},
            "vLLM does not know these arguments: --no-such-option",
        ),
        ({"model": "Qwen/NoSuchModel", "env": {**CPU, "HF_HUB_OFFLINE": "1"}}, "there is no model 'Qwen/NoSuchModel'"),
        ({"context_length": 9_999_999}, "a context of 9999999 tokens is more than the model was made for"),
        ({"env": {"VLLM_CPU_KVCACHE_SPACE": "4000"}}, "there is not enough memory"),
    ],
    ids=["argument", "model", "context", "memory"],
)
async def test_a_start_that_fails_says_why_in_one_line(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    given = {"model": MODEL, "python": PYTHON, "args": ["--enforce-eager"], "env": CPU} | changes
    spec = ModelSpec(provider="vllm", **given)
    with pytest.raises(FatalModelError) as caught:
        async with open_models({"teacher": spec}, base=tmp_path, run_dir=tmp_path):
            pass
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
