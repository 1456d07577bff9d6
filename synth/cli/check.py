"""``synth check``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal
from synth.errors import EXIT_COMPLETE, EXIT_FAILED, SynthError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from synth.environments.check import Check
    from synth.events import Listener
    from synth.models.probe import Finding, ProbeResult
    from synth.recipe.load import LoadedRecipe

_ABILITIES = {"chat": "chat", "json_schema": "JSON Schema", "tools": "tools", "logprobs": "logprobs"}
_RANDOM_CALLS = 25
_PATIENCE = 10.0
"""Seconds; an endpoint that asks to wait longer is told of instead of waited for."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """One model: what it can do, or why it cannot be used at all."""

    name: str
    provider: str
    result: ProbeResult | None
    error: SynthError | None = None

    @property
    def usable(self) -> bool:
        return self.result is not None and self.result.chat.works


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a field, as in synth run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_terminal
def command(terminal: Terminal, recipe: Path, overrides: tuple[str, ...], as_json: bool) -> int:
    """Ask each model of RECIPE a few small things, and walk through each environment, to see what works.

    Four calls a model, of a few hundred tokens in all: a chat, an object by JSON Schema, a tool call, log
    probabilities. Exit status: 0 when all can be used, 1 when one cannot.
    """
    import asyncio

    from synth.progress.show import show_progress
    from synth.recipe.load import load_recipe

    loaded = load_recipe(recipe, overrides=overrides)
    terminal.hide(loaded.secrets)
    listener = show_progress(terminal.console(), live=terminal.live, ending=False)
    models, environments = asyncio.run(_check(loaded, listener))
    if as_json:
        import orjson

        data = {"models": [_as_json(one) for one in models], "environments": [one.to_dict() for one in environments]}
        click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())
    else:
        terminal.print(*_render(models, environments))
    fit = all(one.usable for one in models) and not any(one.problems for one in environments)
    return EXIT_COMPLETE if fit else EXIT_FAILED


async def _check(loaded: LoadedRecipe, listener: Listener) -> tuple[list[_Checked], list[Check]]:
    from contextlib import AbstractContextManager, nullcontext

    from synth.environments.check import check_environment
    from synth.environments.spec import find_environment, load_environment
    from synth.recipe.kinds.tool_use import ToolUseSpec

    shown: object = listener
    with shown if isinstance(shown, AbstractContextManager) else nullcontext():
        models = [await _check_model(loaded, name, listener) for name in loaded.recipe.models]
        specs = [spec for spec in loaded.recipe.generate if isinstance(spec, ToolUseSpec)]
        paths = {find_environment(spec.environment, loaded.base) for spec in specs if spec.environment is not None}
        environments = [await check_environment(load_environment(path), calls=_RANDOM_CALLS) for path in sorted(paths)]
    return models, environments


async def _check_model(loaded: LoadedRecipe, name: str, listener: Listener) -> _Checked:
    from synth.models.open import open_models
    from synth.models.probe import probe
    from synth.recipe.writers import decoding_models

    decoding = decoding_models(loaded.recipe)
    spec = loaded.recipe.models[name].model_copy(update={"batch": False})  # a batch would take hours to say the same
    try:
        async with open_models(
            {name: spec},
            base=loaded.base,
            decoding=decoding,
            seconds_left=lambda: _PATIENCE,
            report=listener,
        ) as models:
            return _Checked(name, spec.provider, await probe(models[name]))
    except SynthError as error:
        return _Checked(name, spec.provider, None, error)


def _as_json(one: _Checked) -> dict[str, object]:
    error = {"message": one.error.message, "hint": one.error.hint} if one.error else None
    found = asdict(one.result) if one.result else {}
    return found | {"model": one.name, "provider": one.provider, "usable": one.usable, "error": error}


def _render(models: list[_Checked], environments: list[Check]) -> Iterator[RenderableType]:
    from rich.text import Text

    yield _table(models)
    for one in models:
        if one.error is not None:
            yield Text.assemble((f"{one.name}: ", "bold red"), one.error.message)
            yield from [Text(f"  {one.error.hint}")] if one.error.hint else []
        for name, finding in _findings(one):
            if not finding.works and finding.note:
                yield Text(f"{one.name}: {_ABILITIES[name]}: {finding.note}", style="dim")
    for environment in environments:
        said = f"{len(environment.tools)} tools, {environment.calls} calls tried"
        verdict = Text("cannot be used", style="bold red") if environment.problems else Text("works", style="green")
        yield Text.assemble(f"environment {environment.name}: ", verdict, f" ({said})")
        yield from (Text(f"  {problem}") for problem in environment.problems)


def _findings(one: _Checked) -> list[tuple[str, Finding]]:
    return [(name, getattr(one.result, name)) for name in _ABILITIES] if one.result else []


def _table(models: list[_Checked]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from synth.progress.words import format_duration

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("model", "provider", *_ABILITIES.values()):
        table.add_column(name, no_wrap=True)
    for name in ("one answer", "context"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in models:
        cells = [_cell(finding) for _, finding in _findings(one)] or [Text("no", style="red")] + [Text("")] * 3
        context = f"{one.result.context_length:,}" if one.result and one.result.context_length else ""
        seconds = format_duration(one.result.seconds) if one.result else ""
        table.add_row(one.name, one.provider, *cells, seconds, context)
    return table


def _cell(finding: Finding) -> RenderableType:
    from rich.text import Text

    note = f" ({finding.note})" if finding.works and finding.note else ""
    return Text(f"yes{note}", style="green") if finding.works else Text("no", style="yellow")
