from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.errors import FatalModelError
from synth.models.open import open_models
from synth.models.probe import Finding, ProbeResult, probe
from synth.recipe.models import ModelSpec
from tests.servers import Abilities, ChatServer


def able(body: dict[str, Any]) -> str | dict[str, Any]:
    if "tools" in body:
        call = {"id": "c1", "type": "function", "function": {"name": "get_time", "arguments": '{"city":"Oslo"}'}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    asked = str(body["messages"])
    return '{"even": true}' if "even" in asked else "ready"


async def probing(server: ChatServer) -> ProbeResult:
    spec = ModelSpec(provider="openai", base_url=server.url, model="m")
    async with open_models({"m": spec}, base=Path()) as models:
        return await probe(models["m"])


async def test_an_able_server_is_found_able() -> None:
    with ChatServer(answer=able) as server:
        found = await probing(server)
    assert found.chat == found.tools == found.logprobs == Finding(True)
    assert found.json_schema == Finding(True, "json_schema")
    assert found.context_length == 4096
    assert server.counts["requests"] == 4


async def test_what_does_not_work_is_said() -> None:
    less = Abilities(json_schema=False, json_object=False, tools=False, logprobs=False, models=[])
    with ChatServer(answer=lambda body: "It is." if "even" in str(body) else "ready", abilities=less) as server:
        found = await probing(server)
    assert found.chat.works
    assert found.json_schema == Finding(False, "asked by prompt, the answer is not JSON")
    assert not found.tools.works
    assert "tools are not supported" in found.tools.note
    assert found.logprobs == Finding(False, "the server sends none")
    assert found.context_length is None


async def test_a_model_that_cannot_be_used_is_an_error() -> None:
    with (
        ChatServer(abilities=Abilities(api_key="k")) as server,
        pytest.raises(FatalModelError, match="does not accept the API key"),
    ):
        await probing(server)


async def test_a_scripted_model_is_probed_too() -> None:
    async with open_models({"m": ModelSpec(provider="scripted")}, base=Path()) as models:
        found = await probe(models["m"])
    assert found.chat.works
    assert found.json_schema.works
    assert not found.tools.works
