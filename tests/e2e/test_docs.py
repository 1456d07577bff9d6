"""Every block of code in README.md and docs/ is carried out, page by page, as a reader would.

``<!-- file: NAME -->`` before a block writes it to a file; ``<!-- not run: WHY -->`` leaves it out. Lines of a console
block that begin with ``$ `` are commands; the others are what a reader sees. The embedded model is replaced by the
scripted one, so a run may end short: it may not fail.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import yaml

from synth.errors import EXIT_COMPLETE, EXIT_SHORT

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
_MARK = r"<!-- (?P<mark>file|not run): (?P<told>[^\n]*?) -->\n"
_BLOCK = re.compile(rf"(?ms)^(?:{_MARK})?```(?P<language>[^\n]*)\n(?P<text>.*?)^```$")
SEEDS = '{"question": "Ann has 3 bags with 4 nuts each. How many nuts are there?", "answer": "12"}\n'
_SHOWN = {"text", "{toctree}", ""}
"""Languages of blocks that are only looked at."""


@dataclass(frozen=True, slots=True)
class Block:
    line: int
    language: str
    text: str
    file: str | None
    run: bool


def blocks(page: Path) -> Iterator[Block]:
    content = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(content):
        line = content.count("\n", 0, found.start("text"))
        file = found["told"] if found["mark"] == "file" else None
        yield Block(line, found["language"], found["text"], file, found["mark"] != "not run")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_does_what_it_says(page: Path, tmp_path: Path) -> None:
    recipes: list[tuple[str, str]] = []
    for block in blocks(page):
        if not block.run or block.language in _SHOWN:
            continue
        where = f"{page.relative_to(ROOT)}:{block.line}"
        if block.file is not None:
            path = tmp_path / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(scripted(block.text), encoding="utf-8")
        match block.language:
            case "console":
                for command in re.findall(r"(?m)^\$ (.*)$", block.text):
                    carry_out(re.sub(r" +# .*", "", command), tmp_path, where)
            case "python":
                python(block.text, tmp_path, where)
            case "yaml":
                yaml.safe_load(block.text)
                if block.file is not None and re.search(r"(?m)^generate:", block.text):
                    recipes.append((where, block.file))
            case "json":
                for line in block.text.splitlines():  # an object a line: seeds
                    orjson.loads(line)
            case "markdown":
                assert block.file is not None, f"{where}: what is it for?"
            case other:
                pytest.fail(f"{where}: nobody knows how to carry out a block of {other!r}")
    if recipes and not (tmp_path / "seeds.jsonl").exists():
        (tmp_path / "seeds.jsonl").write_text(SEEDS)
    for where, name in recipes:  # once every file of the page is there
        carry_out(f"synth plan {name}", tmp_path, where)


def scripted(text: str) -> str:
    """A recipe on a model that answers at once."""
    return re.sub(r"provider: embedded(, model: [\w.-]+)?", "provider: scripted", text)


def carry_out(command: str, folder: Path, where: str) -> None:
    words = shlex.split(command)
    assert words[0] == "synth", f"{where}: {command}"
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    for recipe in folder.rglob("recipe.yaml"):  # what synth init wrote
        recipe.write_text(scripted(recipe.read_text(encoding="utf-8")), encoding="utf-8")
    assert done.returncode in {EXIT_COMPLETE, EXIT_SHORT}, f"{where}: {command}\n{done.stderr}"


def python(text: str, folder: Path, where: str) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-W", "error", "-c", text]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, f"{where}\n{done.stderr}"
