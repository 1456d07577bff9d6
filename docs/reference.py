"""Writes ``reference/recipe.md`` from the recipe's JSON Schema and ``reference/cli.md`` from the commands' own help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from synth.cli.main import cli
from synth.recipe.json_schema import json_schema

Schema = dict[str, Any]


def write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "recipe.md").write_text("\n".join(recipe_lines()) + "\n", encoding="utf-8")
    (folder / "cli.md").write_text("\n".join(cli_lines()) + "\n", encoding="utf-8")


def recipe_lines() -> Iterator[str]:
    schema = json_schema()
    yield "# Recipe reference\n"
    yield "Every field, as `synth schema` has it. `${VAR}` and `${VAR:-default}` are read from the environment.\n"
    yield from section("Recipe", schema)
    for name, definition in sorted(schema["$defs"].items(), key=lambda item: title(item[0]).lower()):
        if name != "Variable" and "properties" in definition:
            yield from section(title(name), definition)


def section(name: str, schema: Schema) -> Iterator[str]:
    yield f"\n## {name}\n"
    if schema.get("description"):
        yield f"{schema['description']}\n"
    yield "| field | value | default | |"
    yield "|---|---|---|---|"
    required = schema.get("required", [])
    for field, told in schema["properties"].items():
        default = "required" if field in required else code(told["default"]) if told.get("default") is not None else ""
        yield f"| `{field}` | {cell(value(told))} | {cell(default)} | {cell(told.get('description', ''))} |"


def value(told: Schema) -> str:
    """What may stand there, in words and links."""
    if "$ref" in told:
        name = told["$ref"].rpartition("/")[2]
        return f"[{title(name)}](#{title(name).lower().replace(' ', '-')})"
    if "const" in told:
        return f"`{told['const']}`"
    if "enum" in told:
        return " or ".join(f"`{one}`" for one in told["enum"])
    for word in ("anyOf", "oneOf"):
        if word in told:
            parts = [
                value(one) for one in told[word] if one.get("$ref") != "#/$defs/Variable" and one.get("type") != "null"
            ]
            return " or ".join(dict.fromkeys(parts))
    kind = told.get("type")
    if kind == "array":
        return f"list of {value(told['items'])}" if told.get("items") else "list"
    if kind == "object":
        inner = next(iter(told.get("patternProperties", {}).values()), None) or told.get("additionalProperties")
        return f"name: {value(inner)}" if isinstance(inner, dict) and inner else "mapping"
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true` or `false`"}
    bounds = [
        f"{sign} {told[key]}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in told
    ]
    return " ".join([words.get(str(kind), "anything"), *bounds])


def title(name: str) -> str:
    """``EnsembleSpec`` as people say it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Spec"))


def code(default: object) -> str:
    text = "true" if default is True else "false" if default is False else str(default)
    return f"`{text}`" if text else "``''``"


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def cli_lines() -> Iterator[str]:
    yield "# Command reference\n"
    yield "What each command takes, from its own `--help`; [Commands](../commands.md) says what they are for.\n"
    context = click.Context(cli, info_name="synth")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield from command_lines(f"synth {name}", command)


def command_lines(name: str, command: click.Command) -> Iterator[str]:
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    usage = " ".join([name, *(one.make_metavar(click.Context(command)) for one in arguments)])
    yield f"\n## {usage}\n"
    yield f"{(command.help or '').strip()}\n"
    if isinstance(command, click.Group):
        for inner, found in command.commands.items():
            yield from (
                "#" + line if line.startswith("\n##") else line for line in command_lines(f"{name} {inner}", found)
            )
        return
    options = [one for one in command.params if isinstance(one, click.Option)]
    if options:
        yield "| option | | default |"
        yield "|---|---|---|"
    for option in options:
        names = ", ".join(f"`{one}`" for one in option.opts + option.secondary_opts)
        default = option.default if option.show_default and option.default is not None else ""
        yield f"| {names} | {cell(option.help or '')} | {code(default) if default != '' else ''} |"
