"""docs/commands.md says what the commands take and tell."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import click
import pytest

from synth.cli.main import cli
from synth.events import Event
from synth.progress.json_lines import event_name

DOCS = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
MINE = [
    "init",
    "measure",
    "run",
    "validate",
    "check",
    "preview",
    "plan",
    "status",
    "show",
    "view",
    "report",
    "export",
    "push",
    "verify",
    "diff",
    "forget",
    "judge",
    "govern",
    "private",
    "clean",
    "dedup",
    "best",
    "schema",
]


def section(title: str) -> str:
    found = re.search(rf"(?ms)^(#+) synth {title}\b.*?$(.*?)(?=^## |\Z)", DOCS)
    assert found is not None, f"no section on synth {title}"
    return found[2]


@pytest.mark.parametrize("name", MINE)
def test_every_option_is_described(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    text = section(name)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts + parameter.secondary_opts:
                assert f"`{option}" in text, f"{option} of synth {name}"


def test_every_event_is_described_with_its_fields() -> None:
    for event in get_args(Event):
        line = next(line for line in DOCS.splitlines() if line.startswith(f"| `{event_name(event)}` |"))
        for field in fields(event):
            assert f"`{field.name}`" in line, f"{field.name} of {event_name(event)}"


def test_the_codes_are_those_of_the_errors() -> None:
    from synth import errors

    codes = {str(value) for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert set(re.findall(r"(?m)^\| (\d+) \|", DOCS)) == codes
