"""synth check, on a scripted model and on a local server with and without its abilities."""

import json
from pathlib import Path

import pytest

from synth.errors import EXIT_FAILED
from tests.servers import Abilities, ChatServer, Faults

from .conftest import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def use(folder: Folder, url: str, key: str = "k") -> None:
    model = f'{{provider: openai, base_url: "{url}", model: m, api_key: "{key}-0123456789"}}'
    folder.edit("recipe.yaml", "{provider: scripted, answers: answers.yaml, concurrency: 4}", model)


def test_each_model_has_a_line_of_what_it_can_do(folder: Folder) -> None:
    answers = "- {schema: true, json: {even: true}}\n- {tools: true, tool_calls: [{name: get_time}]}\n- {rule: echo}\n"
    folder.write("answers.yaml", answers)
    done = folder.synth("check", "recipe.yaml")
    assert done.returncode == 0
    header, line, *notes = done.stdout.splitlines()
    assert header.split()[:3] == ["model", "provider", "chat"]
    assert line.split()[:6] == ["teacher", "scripted", "yes", "yes", "yes", "no"]
    assert notes == ["teacher: logprobs: the server sends none"]


def test_a_model_that_cannot_be_used_says_why(folder: Folder) -> None:
    with ChatServer(abilities=Abilities(api_key="another")) as server:
        use(folder, server.url)
        done = folder.synth("check", "recipe.yaml")
        told = json.loads(folder.synth("check", "recipe.yaml", "--json").stdout)
    assert done.returncode == EXIT_FAILED
    assert "does not accept the API key" in done.stdout
    assert "set the model's api_key" in done.stdout
    assert "k-0123456789" not in done.stdout + done.stderr
    assert told["models"][0]["usable"] is False
    assert "does not accept the API key" in told["models"][0]["error"]["message"]


def test_a_server_without_a_listener(folder: Folder) -> None:
    use(folder, "http://127.0.0.1:9/v1")
    done = folder.synth("check", "recipe.yaml")
    assert done.returncode == EXIT_FAILED
    assert "nothing accepts connections" in done.stdout
    assert "Traceback" not in done.stderr


def test_an_endpoint_that_asks_to_wait_a_minute_is_told_of_at_once(folder: Folder) -> None:
    with ChatServer(queue=["busy"], faults=Faults(retry_after="60")) as server:
        use(folder, server.url)
        done = folder.synth("check", "recipe.yaml")
    assert done.returncode == EXIT_FAILED
    assert "asks to wait 60 seconds" in " ".join(done.stdout.split())


def test_environments_are_walked_through(folder: Folder) -> None:
    generator = "  - {kind: tool_use, environment: retail, count: 2}\n"
    recipe = folder.read("recipe.yaml")
    folder.write("recipe.yaml", recipe[: recipe.index("  - kind")] + generator + 'diversity: "off"\n')
    done = folder.synth("check", "recipe.yaml")
    assert "environment retail: works" in done.stdout
