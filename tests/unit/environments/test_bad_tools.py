"""Tool code that does what it should not: each has one clear outcome, and the conversations beside it go on."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from synth.environments.world import open_environment
from synth.errors import EnvironmentFault, RecipeError
from tests.unit.environments.writing import environment_of

COUNT = '''
@tool(writes=True)
def count(state) -> int:
    """Count up."""
    state["n"] = state.get("n", 0) + 1
    return state["n"]
'''
LIMITS = {"seconds": 0.3, "memory_mb": 64}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("while True: pass", "tool 'bad' took longer than 0.3 s"),
        ("import time; time.sleep(60)", "tool 'bad' took longer than 0.3 s"),
        ("import signal, time; signal.signal(signal.SIGALRM, lambda *_: None); [time.sleep(1) for _ in range(60)]", ""),
        ("return 'x' * 10**9", "tool 'bad' used more memory than its limit"),
        ("return {1, 2}", "tool 'bad' returned what is not JSON: Type is not JSON serializable: set"),
        ("return object()", "tool 'bad' returned what is not JSON: Type is not JSON serializable: object"),
        ("return {1: 2}", "tool 'bad' returned what is not JSON: Dict key must be str"),
        ("return 'x' * 2**21", "tool 'bad' returned 2,097,154 bytes; at most 1,048,576 are taken"),
        ("return state['gone']", "tool 'bad' raised KeyError: 'gone'"),
        ("return bad(state)", "tool 'bad' raised RecursionError: maximum recursion depth exceeded"),
        ("raise SystemExit(3)", "tool 'bad' raised SystemExit: 3"),
        ("import os; os._exit(3)", "tool 'bad' ended its process (exit status 3)"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "tool 'bad' ended its process (SIGSEGV: it crashed or ran out of memory)",
        ),
        (
            "state['n'] = 7",
            "tool 'bad' changed /n but is not marked as writing; mark it @tool(writes=True)",
        ),
    ],
)
async def test_a_fault_ends_its_own_conversation_only(tmp_path: Path, body: str, reason: str) -> None:
    tools = f'{COUNT}\n@tool\ndef bad(state) -> object:\n    """Misbehave."""\n    {body}\n'
    spec = environment_of(tmp_path, tools, limits=LIMITS)
    async with open_environment(spec) as world, world.start(1) as beside, world.start(2) as environment:
        await beside.call("count", "{}")
        await environment.call("count", "{}")
        with pytest.raises(EnvironmentFault) as caught:
            await environment.call("bad", "{}")
        assert caught.value.reason == (reason or "tool 'bad' took longer than 0.3 s")
        assert caught.value.gate == "environment"
        with pytest.raises(EnvironmentFault):
            await environment.call("count", "{}")
        assert (await beside.call("count", "{}")).content == "2"
        assert await beside.replay() == []


async def test_what_a_tool_prints_goes_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tools = '''
import subprocess, sys
print("at import")

@tool
def chatter(state) -> str:
    """Say much."""
    print("hello"); print("there", file=sys.stderr)
    subprocess.run(["echo", "from a child"])
    sys.stdout.flush()
    return "done"
'''
    async with open_environment(environment_of(tmp_path, tools)) as world, world.start(1) as environment:
        assert (await environment.call("chatter", "{}")).content == '"done"'
    assert capfd.readouterr() == ("", "")


async def test_output_is_a_stream_like_the_real_one(tmp_path: Path) -> None:
    tools = '''
import sys
sys.stdout.reconfigure(encoding="utf-8", errors="replace")

@tool
def half(state) -> str:
    """Print half a character."""
    print("\\ud800"); sys.stdout.buffer.write(b"\\xff")
    return "done"

@tool
def fail(state) -> str:
    """Fail in words that are none."""
    raise ValueError("\\ud800")

@invariant
def it_is_whole(state):
    yield None
    yield True
    yield "\\ud800"
    yield False
'''
    async with open_environment(environment_of(tmp_path, tools)) as world, world.start(1) as environment:
        assert (await environment.call("half", "{}")).content == '"done"'
        assert await environment.violations() == ["it is whole: ?", "it is whole"]
        with pytest.raises(EnvironmentFault, match=r"tool 'fail' raised ValueError: \?"):
            await environment.call("fail", "{}")


async def test_a_cached_function_may_be_a_tool(tmp_path: Path) -> None:
    tools = (
        'from functools import lru_cache\n@tool\n@lru_cache\ndef cached(state) -> int:\n    """Do."""\n    return 1\n'
    )
    async with open_environment(environment_of(tmp_path, tools)) as world:
        assert [one.name for one in world.tools] == ["cached"]


async def test_a_tool_may_mutate_its_arguments(tmp_path: Path) -> None:
    tools = '''
@tool(writes=True)
def add(state, items: list[str]) -> list:
    """Add items."""
    state["items"] = items
    items.append("more")
    return items
'''
    async with open_environment(environment_of(tmp_path, tools)) as world, world.start(1) as environment:
        await environment.call("add", '{"items": ["a"]}')
        assert environment.calls[0].arguments == '{"items": ["a"]}'
        assert await environment.replay() == []


async def test_a_tool_error_takes_back_what_was_changed(tmp_path: Path) -> None:
    tools = '''
@tool(writes=True)
def half(state) -> None:
    """Change, then fail."""
    state["n"] = 1
    state.setdefault("list", []).append(2)
    raise ToolError("no")
'''
    async with open_environment(environment_of(tmp_path, tools)) as world, world.start(1) as environment:
        result = await environment.call("half", "{}")
        assert (result.content, result.error, result.wrote) == ('{"error":"no"}', True, False)
        assert await environment.state() == {}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("state['x'] = {1, 2}", "the state is not plain JSON data: Type is not JSON serializable: set"),
        ("state['x'] = {1: 2}", "the state is not plain JSON data: Dict key must be str"),
        ("state['x'] = 'y' * (17 << 20)", "the state has grown to 17,825,794 bytes; at most 16,777,216 are kept"),
    ],
)
async def test_the_state_stays_plain_and_small(tmp_path: Path, body: str, reason: str) -> None:
    tools = f'@tool(writes=True)\ndef bad(state) -> None:\n    """Misbehave."""\n    {body}\n'
    async with open_environment(environment_of(tmp_path, tools)) as world, world.start(1) as environment:
        with pytest.raises(EnvironmentFault) as caught:
            await environment.call("bad", "{}")
        assert caught.value.reason == reason


async def test_two_hundred_calls_in_one_turn(tmp_path: Path) -> None:
    async with open_environment(environment_of(tmp_path, COUNT)) as world, world.start(1) as environment:
        for _ in range(200):
            await environment.call("count", "{}")
            await environment.call("cuont", "{}")
        assert await environment.state() == {"n": 200}
        assert orjson.loads(environment.calls[-1].result.content) == {
            "error": "there is no tool 'cuont'; did you mean 'count'?"
        }


@pytest.mark.parametrize(
    ("tools", "line", "message"),
    [
        ("import nosuchmodule\n", 3, "it does not import: ModuleNotFoundError: No module named 'nosuchmodule'"),
        ("def broken(:\n", 3, "it is not valid Python: invalid syntax"),
        ("\nraise SystemExit\n", 4, "it does not import: SystemExit: "),
        ("x = 1\n", 0, "there is no tool in it"),
        ('@tool\ndef t(state, a) -> int:\n    """Do."""\n', 3, "tool 't': parameter 'a' has no type"),
        (
            "@tool\ndef t(state, a: int) -> int:\n    return a\n",
            3,
            "tool 't' has no docstring; a model knows of it only what that says",
        ),
        ('@tool\ndef t() -> int:\n    """Do."""\n', 3, "tool 't' takes no state; its first parameter is the state"),
        (
            '@tool\nasync def t(state) -> int:\n    """Do."""\n',
            3,
            "tool 't' must be a plain function: no `async def`, no `yield`",
        ),
        (
            '@tool\ndef t(state, *a: int) -> int:\n    """Do."""\n',
            3,
            "tool 't': '*a: int' cannot be named in JSON arguments",
        ),
        (
            '@tool\ndef t(state, a: "Nope") -> int:\n    """Do."""\n',
            3,
            "tool 't': a type cannot be resolved: name 'Nope' is not defined",
        ),
        (
            'class N: pass\n@tool\ndef t(state, a: N) -> int:\n    """Do."""\n',
            4,
            "tool 't': its types have no JSON Schema: Unable to generate pydantic-core schema for <class 'tools.N'>.",
        ),
        (
            '@tool\ndef t(state, a: int) -> int:\n    """Do.\n\n    Args:\n        b: What?\n    """\n',
            3,
            "tool 't': the docstring speaks of 'b', which is no parameter",
        ),
        (
            '@tool\ndef t(state) -> int:\n    """Do."""\n@tool(name="t")\ndef u(state) -> int:\n    """Do."""\n',
            6,
            "two tools are named 't'",
        ),
        (
            '@tool\ndef t(state) -> int:\n    """Do."""\n@tool\ndef t(state) -> int:\n    """Do."""\n',
            6,
            "two functions are named 't': the first is on line 3",
        ),
        (
            "class Thing:\n    def __call__(self, state): ...\nthing = tool(Thing())\n",
            0,
            "tool 'Thing' has no docstring; a model knows of it only what that says",
        ),
        ("x = 'x' * 10**10\n", 0, "importing it used more memory than its limit"),
    ],
)
async def test_a_tools_file_that_cannot_be_used(tmp_path: Path, tools: str, line: int, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        async with open_environment(environment_of(tmp_path, tools)):
            raise AssertionError
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.message) == (str(tmp_path / "tools.py"), line, message)


async def test_a_tools_file_that_never_finishes_importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.environments.python._IMPORT_SECONDS", 1.0)
    with pytest.raises(RecipeError, match="importing it took longer than 1 s"):
        async with open_environment(environment_of(tmp_path, "while True: pass\n")):
            raise AssertionError


async def test_tools_see_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    tools = '''
import os

@tool
def look(state) -> list[str]:
    """Look at the environment variables."""
    return sorted(os.environ)
'''
    async with open_environment(environment_of(tmp_path, tools)) as world, world.start(1) as environment:
        assert "OPENAI_API_KEY" not in orjson.loads((await environment.call("look", "{}")).content)


async def test_a_state_that_is_never_made(tmp_path: Path) -> None:
    tools = COUNT + "def make_state(rng):\n    while True: pass\n"
    spec = environment_of(tmp_path, tools, state="make_state", limits=LIMITS)
    async with open_environment(spec) as world, world.start(1) as environment:
        with pytest.raises(EnvironmentFault) as caught:
            await environment.state()
        assert caught.value.reason == "making the state took longer than 0.3 s"


async def test_a_state_function_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="there is no function 'make_state', which is to make the state"):
        async with open_environment(environment_of(tmp_path, COUNT, state="make_state")):
            raise AssertionError
