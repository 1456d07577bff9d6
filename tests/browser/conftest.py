"""A real Chromium, a real ``synth view`` in a process of its own, and a run whose data is out to break the page.

Whatever a test does, at its end the page must have said nothing on its console and asked nothing of another machine.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synth.job import run
from synth.recipe.load import load_recipe
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.e2e.cli.conftest import environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = (
    "<script>window.hurt=1</script><img src=http://evil.example/x onerror=window.hurt=2>"
    "<svg onload=window.hurt=3><a href=javascript:window.hurt=4>x</a></svg></title></script>{{ 7*7 }}"
)
RECIPE = """\
name: looked-at
models:
  m: {provider: scripted, answers: answers.yaml}
seeds: {path: 'seeds<svg onload=window.hurt=6>.jsonl'}
axes: {mood: [calm, angry, "<b onmouseover=window.hurt=5>"], channel: [chat, email]}
generate:
  - kind: custom
    id: raw
    count: 60
    steps: [{as: draft, prompt: "Say {{ seed.question }} ({{ unit.index }})"}]
    accept: "{{ unit.index % 4 }}"
    output:
      messages:
        - {role: system, content: Be kind.}
        - {role: user, content: "{{ seed.question }}"}
        - {role: assistant, content: "{{ draft }}"}
  - kind: custom
    id: other
    count: 8
    steps: [{as: draft, prompt: "Say {{ unit.index }} again"}]
    output: {messages: [{role: user, content: "Number {{ unit.index }}"}, {role: assistant, content: "{{ draft }}"}]}
diversity: "off"
"""

Open = Callable[..., "Page"]


@pytest.fixture(scope="module")  # while it is there, no asynchronous test can run in this thread
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium is installed; name one in CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def write_recipe(folder: Path, recipe: str = RECIPE) -> Path:
    """The recipe with its seeds and answers; the path of the recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [f'{{"id": "s{n}", "question": "What are {n} apples and a wombat?"}}\n' for n in range(5)]
    hostile = f'{{"id": "<i>s</i>", "question": "{HOSTILE}"}}\n'
    (folder / "seeds<svg onload=window.hurt=6>.jsonl").write_text("".join(seeds) + hostile)
    (folder / "answers.yaml").write_text("- {match: '(?s)Say (.*)', answer: 'As you say: \\1', delay: 0.01}\n")
    (folder / "recipe.yaml").write_text(recipe)
    return folder / "recipe.yaml"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, in a folder whose name is markup."""
    folder = tmp_path_factory.mktemp("browser")
    run_dir = folder / "<img src=x onerror=window.hurt=7>"
    assert run(load_recipe(write_recipe(folder)), run_dir=run_dir).ending.status == "complete"
    return run_dir


@contextmanager
def serving(run_dir: Path) -> Iterator[str]:
    """``synth view`` at work on a folder: its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "synth", "view", str(run_dir)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", address)
        yield address
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def address(finished: Path, browser: Browser) -> Iterator[str]:
    with serving(finished) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens pages that must stay quiet: nothing on the console, no request off this machine, nothing hurt."""
    pages: list[Page] = []
    said: list[str] = []

    def open_page(address: str, *, width: int = 1280, height: int = 800, scheme: str = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        page.set_default_timeout(20_000)
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda request: _check_request(request.url, said))
        pages.append(page)
        page.goto(address)
        return page

    yield open_page
    hurt = [page.evaluate("window.hurt") for page in pages]
    for page in pages:
        page.close()
    assert said == []
    assert not any(hurt)


def _check_request(url: str, said: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "file:///")):
        said.append(f"request to {url}")
