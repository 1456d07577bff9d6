"""Environments of real MCP servers, over stdio and over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import yaml

from synth.environments.check import check_environment
from synth.environments.mcp_import import import_environment
from synth.environments.spec import EnvironmentSpec, load_environment
from synth.environments.world import open_environment
from synth.errors import EnvironmentFault, UsageError

SERVER = Path(__file__).parent / "mcp_notes.py"
COMMAND = [sys.executable, str(SERVER)]


def _live(folder: Path, server: dict[str, object], *, seconds: float = 10) -> EnvironmentSpec:
    declared = {
        "name": "notes",
        "description": "A field station's notes.",
        "mode": "live",
        "server": server,
        "limits": {"seconds": seconds},
    }
    (folder / "env.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    return load_environment(folder)


async def test_a_live_server_over_stdio(tmp_path: Path) -> None:
    async with open_environment(_live(tmp_path, {"command": COMMAND})) as world:
        assert [tool.name for tool in world.tools][:4] == ["add_note", "list_notes", "notes_clear", "read_note"]
        assert [tool.writes for tool in world.tools][:4] == [True, False, True, False]
        assert world.tools[0].tool.parameters == {
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "priority": {"type": "integer", "default": 1},
                "tag": {"type": "string"},
            },
            "required": ["text"],
            "additionalProperties": False,
        }
        async with world.start(1) as environment:
            start = await environment.state_hash()
            assert orjson.loads((await environment.call("list_notes", "{}")).content) == {"result": []}
            assert await environment.state_hash() == start
            added = await environment.call("add_note", '{"text": "two herons", "tag": null}')
            assert orjson.loads(added.content) == {"number": 1, "priority": 1, "tag": None}
            assert added.wrote
            assert await environment.state_hash() != start
            missing = await environment.call("read_note", '{"number": 9}')
            assert missing.error
            assert "there is no note 9" in missing.content
            assert (await environment.call("read_note", '{"number": "one"}')).error
            assert (await environment.call("notes_clear", "{}")).wrote
            assert await environment.replay() == []


async def test_each_conversation_has_its_own_session(tmp_path: Path) -> None:
    async with (
        open_environment(_live(tmp_path, {"command": COMMAND})) as world,
        world.start(1) as one,
        world.start(2) as other,
    ):
        await one.call("add_note", '{"text": "a"}')
        assert orjson.loads((await other.call("list_notes", "{}")).content) == {"result": []}


async def test_a_live_server_over_http(tmp_path: Path, url: str) -> None:
    async with open_environment(_live(tmp_path, {"url": url})) as world, world.start(1) as environment:
        await environment.call("add_note", '{"text": "two herons"}')
        assert orjson.loads((await environment.call("read_note", '{"number": 1}')).content) == {"result": "two herons"}


async def test_a_server_that_dies_ends_its_conversation_only(tmp_path: Path) -> None:
    async with (
        open_environment(_live(tmp_path, {"command": COMMAND})) as world,
        world.start(1) as beside,
        world.start(2) as environment,
    ):
        with pytest.raises(EnvironmentFault) as caught:
            await environment.call("crash", "{}")
        assert caught.value.reason == "tool 'crash': the MCP server has died (out of ink)"
        assert not (await beside.call("list_notes", "{}")).error


async def test_a_server_that_hangs(tmp_path: Path) -> None:
    spec = _live(tmp_path, {"command": COMMAND}, seconds=0.5)
    async with open_environment(spec) as world, world.start(1) as environment:
        with pytest.raises(EnvironmentFault) as caught:
            await environment.call("hang", "{}")
        assert caught.value.reason == "tool 'hang': the MCP server did not answer within 0.5 s"


async def test_a_server_over_http_that_dies(tmp_path: Path, url: str) -> None:
    async with open_environment(_live(tmp_path, {"url": url}, seconds=5)) as world, world.start(1) as environment:
        with pytest.raises(EnvironmentFault, match="tool 'crash': the MCP server"):
            await environment.call("crash", "{}")


async def test_a_server_that_changes_its_tools_between_conversations(tmp_path: Path) -> None:
    async with open_environment(_live(tmp_path, {"command": COMMAND})) as world:
        (tmp_path / "extra-tool").touch()
        with pytest.raises(EnvironmentFault) as caught:
            async with world.start(1):
                raise AssertionError
        assert caught.value.reason == ("the MCP server has changed its tools since the run began: extra_tool is new")


async def test_a_server_that_changes_its_tools_within_one(tmp_path: Path) -> None:
    async with open_environment(_live(tmp_path, {"command": COMMAND})) as world, world.start(1) as environment:
        with pytest.raises(EnvironmentFault, match="changed its tools since the run began: new_tool is new"):
            await environment.call("learn", "{}")


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ({"command": ["/no/such/program"]}, "the MCP server failed: .*No such file or directory"),
        ({"command": [sys.executable, "-c", "raise SystemExit('no licence')"]}, r"the MCP server .*\(no licence\)"),
        ({"url": "http://127.0.0.1:9/mcp"}, "the MCP server "),
    ],
)
async def test_a_server_that_cannot_be_reached(tmp_path: Path, server: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        async with open_environment(_live(tmp_path, server)):
            raise AssertionError


async def test_a_server_that_never_begins_to_speak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.environments.mcp_client.START_SECONDS", 0.5)
    silent: dict[str, object] = {"command": [sys.executable, "-c", "import time; time.sleep(60)"]}
    with pytest.raises(UsageError, match=r"the MCP server did not answer within 0\.5 s"):
        async with open_environment(_live(tmp_path, silent)):
            raise AssertionError


async def test_check_asks_a_live_server_for_its_tools_only(tmp_path: Path) -> None:
    check = await check_environment(_live(tmp_path, {"command": COMMAND}))
    assert check.problems == []
    assert check.calls == 0
    assert "its tools are a real server's: no random walk" in check.notes


async def test_import_makes_a_mock_environment(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    await import_environment(f"{sys.executable} {SERVER}", folder)
    spec = load_environment(folder)
    assert (spec.name, spec.mode, spec.description) == ("Field-Notes", "mock", "Keeps the notes of a field station.")
    assert [tool.name for tool in spec.declared][:2] == ["add_note", "list_notes"]
    assert [tool.writes for tool in spec.declared][:2] == [True, False]
    check = await check_environment(spec, calls=100)
    assert check.problems == []
    with pytest.raises(UsageError, match="holds an environment already"):
        await import_environment(f"{sys.executable} {SERVER}", folder)


async def test_what_an_import_writes_can_be_turned_live(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    await import_environment(f"{sys.executable} {SERVER}", folder)
    lines = (folder / "env.yaml").read_text(encoding="utf-8").splitlines()
    live = [line for line in lines if line and not line.startswith(("mode:", "# A model"))]
    (folder / "env.yaml").write_text("\n".join(line.removeprefix("# ") for line in live), encoding="utf-8")
    async with open_environment(load_environment(folder)) as world, world.start(1) as environment:
        assert (await environment.call("add_note", '{"text": "a"}')).wrote


def test_import_from_the_command_line_and_over_http(tmp_path: Path, url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "synth.cli.main", "envs", "import", "--mcp", url, "--to", str(tmp_path / "web")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{tmp_path / 'web'}: 7 tools: add_note, list_notes, ")
    assert f"# server: {{url: '{url}'}}" in (tmp_path / "web" / "env.yaml").read_text(encoding="utf-8")


async def test_import_from_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the command is empty"):
        await import_environment("", tmp_path / "x")
    with pytest.raises(UsageError, match="is no command line: No closing quotation"):
        await import_environment("python 'x", tmp_path / "x")
    with pytest.raises(UsageError, match="the MCP server failed"):
        await import_environment("/no/such/program", tmp_path / "x")
    assert not (tmp_path / "x").exists()
