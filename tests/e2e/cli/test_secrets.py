"""Keys reach no file, no message and no line of JSON, not even where a server repeats them in its error."""

import os
from pathlib import Path

import pytest

from synth.errors import EXIT_FAILED
from tests.servers import Abilities, ChatServer

from .conftest import Folder

KEY = "sk-very-secret-0123456789"
HEADER = "team-secret-987654"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("SYNTH_TEST_KEY", KEY)
    monkeypatch.setenv("SYNTH_TEST_HEADER", HEADER)
    return Folder(tmp_path)


def use(folder: Folder, url: str) -> None:
    """Point the recipe at a server, with a key and a header from the environment."""
    model = (
        f'{{provider: openai, base_url: "{url}", model: m, api_key: "${{SYNTH_TEST_KEY}}", '
        'price: {input: 1, output: 1}, headers: {X-Team: "${SYNTH_TEST_HEADER}"}}'
    )
    folder.edit("recipe.yaml", "{provider: scripted, answers: answers.yaml, concurrency: 4}", model)


def files_with(folder: Path, *secrets: str) -> list[str]:
    found = []
    for base, _, names in os.walk(folder):
        for name in names:
            content = Path(base, name).read_bytes()
            found += [f"{name}: {secret}" for secret in secrets if secret.encode() in content]
    return found


@pytest.mark.parametrize("how", [(), ("--json",), ("--quiet",)])
def test_a_run_that_the_server_refuses(folder: Folder, how: tuple[str, ...]) -> None:
    with ChatServer(abilities=Abilities(api_key="another")) as server:
        use(folder, server.url)
        done = folder.synth("run", "recipe.yaml", *how)
    assert done.returncode == EXIT_FAILED
    assert "does not accept the API key" in done.stderr
    assert KEY not in done.stderr
    assert HEADER not in done.stderr
    assert files_with(folder.path, KEY, HEADER) == []


def test_a_run_that_completes(folder: Folder) -> None:
    with ChatServer(abilities=Abilities(api_key=KEY)) as server:
        use(folder, server.url)
        one_step = ("--set", "generate.raw.steps=[{as: draft, prompt: hi}]", "--set", "generate.raw.accept=yes")
        done = folder.synth("run", "recipe.yaml", "--json", "--count", "3", *one_step)
        assert done.returncode == 0, done.stderr
        assert server.headers[0]["X-Team"] == HEADER
    assert KEY not in done.stderr
    assert files_with(folder.path, KEY, HEADER) == []
    shown = folder.synth("show", "runs/t", "raw-0").stdout
    assert "accepted" in shown
    assert KEY not in shown


def test_other_commands(folder: Folder) -> None:
    use(folder, "http://127.0.0.1:9/v1")
    for command in ("validate", "plan"):
        done = folder.synth(command, "recipe.yaml")
        assert done.returncode == 0
        assert KEY not in done.stdout + done.stderr


def test_an_error_in_a_line_that_holds_a_key(folder: Folder) -> None:
    folder.edit(
        "recipe.yaml",
        "{provider: scripted, answers: answers.yaml, concurrency: 4}",
        f"{{provider: opnai, api_key: {KEY}}}",
    )
    done = folder.synth("validate", "recipe.yaml")
    assert "'opnai'" in done.stderr
    assert KEY not in done.stderr
