from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from synth.errors import FatalModelError, UsageError
from synth.messages import Json
from synth.models import process, supervised
from synth.models.embedded import provider
from synth.models.embedded.provider import EmbeddedServer, EmbeddedServers
from synth.models.embedded.pull import ensure_model
from synth.models.progress import ModelState, Report, Warned
from tests.unit.models.embedded.toy import Events, World, install_parts


@pytest.fixture
async def servers(
    world: World, tmp_path: Path, events: Events, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[EmbeddedServers]:
    install_parts(world.model, world.site)
    monkeypatch.setattr(provider, "_SERVER_MODULE", "tests.unit.models.embedded.fake_server")
    monkeypatch.setattr(supervised, "_RESTART_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(process, "_PROBE_SECONDS", 0.3)
    made = EmbeddedServers(tmp_path / "logs", events)
    yield made
    await made.stop()
    assert psutil.Process().children() == []


@pytest.fixture
def server(servers: EmbeddedServers) -> EmbeddedServer:
    return servers.get("toy", parallel=64)


async def options(server: EmbeddedServer) -> Json:
    """What the running server was started with, and its pid."""
    async with aiohttp.ClientSession() as session, session.get(server.base_url) as response:
        found: Json = await response.json(content_type=None)
        return found


async def kill(server: EmbeddedServer) -> None:
    os.kill((await options(server))["pid"], signal.SIGKILL)


async def test_it_pulls_starts_and_says_so(server: EmbeddedServer, world: World, events: Events) -> None:
    url = await server.start()
    assert url == server.base_url
    assert url.startswith("http://127.0.0.1:")
    found = await options(server)
    assert found["model"] == str(world.path)
    assert found["alias"] == "toy"
    assert found["parallel"] == "8"
    assert found["context"] == "256"
    assert events.phases == ["pulling", "starting", "ready"]


async def test_started_twice_at_once_it_is_one_server(server: EmbeddedServer, events: Events) -> None:
    assert len(set(await asyncio.gather(*(server.start() for _ in range(5))))) == 1
    assert events.phases.count("starting") == 1


async def test_models_of_the_same_file_share_a_server(servers: EmbeddedServers, world: World) -> None:
    one = servers.get("toy", parallel=2)
    await asyncio.to_thread(lambda: ensure_model("toy"))
    assert servers.get(str(world.path), parallel=4, context_length=300) is one
    await one.start()
    assert ((await options(one))["parallel"], (await options(one))["context"]) == ("4", "300")
    assert servers.get("toy", parallel=8).parallel == 4


async def test_context_is_bounded_by_what_the_weights_know(servers: EmbeddedServers) -> None:
    assert servers.get("toy", parallel=1, context_length=10_000).context_length == 512


async def test_a_killed_server_is_back_at_the_same_address(server: EmbeddedServer, events: Events) -> None:
    url = await server.start()
    first = (await options(server))["pid"]
    await kill(server)
    await asyncio.gather(*(server.ensure_alive() for _ in range(20)))
    assert server.base_url == url
    assert (await options(server))["pid"] != first
    assert events.warnings == ["the server of toy is started again: it was killed by SIGKILL"]


async def test_a_healthy_server_is_left_alone(server: EmbeddedServer) -> None:
    await server.start()
    first = (await options(server))["pid"]
    await server.ensure_alive()
    assert (await options(server))["pid"] == first


async def test_a_server_that_hangs_is_replaced(server: EmbeddedServer, world: World, events: Events) -> None:
    await server.start()
    (world.path.parent / "hangs").touch()
    await server.ensure_alive()
    assert events.warnings == ["the server of toy is started again: it does not answer"]
    await server.ensure_alive()


async def test_a_server_that_does_not_come_back_ends_the_run(server: EmbeddedServer, world: World) -> None:
    await server.start()
    (world.path.parent / "broken").touch()
    await kill(server)
    with pytest.raises(FatalModelError, match=r"the server of toy did not start: .*\n.*failed to load model"):
        await server.ensure_alive()


async def test_a_server_that_keeps_dying_is_given_up(server: EmbeddedServer) -> None:
    await server.start()
    for _ in range(5):
        await kill(server)
        await server.ensure_alive()
    await kill(server)
    with pytest.raises(FatalModelError, match="keeps dying"):
        await server.ensure_alive()


async def test_a_stopped_server_stays_stopped(server: EmbeddedServer) -> None:
    await server.start()
    await server.stop()
    with pytest.raises(FatalModelError, match="the server of toy is stopped"):
        await server.ensure_alive()


async def test_a_model_that_does_not_load_is_told_from_its_log(server: EmbeddedServer, world: World) -> None:
    ensure_model("toy")
    (world.path.parent / "broken").touch()
    with pytest.raises(FatalModelError, match=r"the server of toy did not start: it ended with status 1\n.*failed"):
        await server.start()


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("after", [0.0, 0.01, 0.1])
async def test_a_start_that_is_cancelled_leaves_no_process(world: World, tmp_path: Path, after: float) -> None:
    starting = asyncio.Event()
    ensure_model("toy")
    (world.path.parent / "loads slowly").touch()

    def report(event: ModelState | Warned) -> None:
        if event == ModelState("toy", "starting"):
            starting.set()

    task = asyncio.create_task(EmbeddedServer("toy", logs=tmp_path, report=report).start())
    await starting.wait()
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert psutil.Process().children() == []


async def test_a_cancelled_pull_ends(server: EmbeddedServer, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def pull_for_ever(name: str, report: Report) -> Path:
        try:
            while True:
                report(ModelState(name, "pulling"))
                time.sleep(0.001)
        finally:
            ended.set()

    monkeypatch.setattr(provider, "ensure_model", pull_for_ever)
    task = asyncio.create_task(server.start())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 10)


async def test_without_llama_cpp_it_says_what_to_install(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"llama\.cpp, which is not installed") as caught:
        await server.start()
    assert caught.value.hint == "pip install 'synth[embedded]'"


def test_an_unknown_model_is_told_before_anything_starts(servers: EmbeddedServers) -> None:
    with pytest.raises(UsageError, match="no embedded model is called 'toys'"):
        servers.get("toys", parallel=1)
