"""``synth plan``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from synth.curation.seeds import CleanedSeeds
    from synth.estimate import Amounts, Estimate, GeneratorEstimate
    from synth.messages import Json
    from synth.outline import Asked
    from synth.recipe.schema import BudgetSpec, Recipe


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a field, as in synth run.")
@click.option("--count", type=int, metavar="N", help="Give every generator this count, as in synth run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_terminal
def command(terminal: Terminal, recipe: Path, overrides: tuple[str, ...], count: int | None, as_json: bool) -> None:
    """Say what a run of RECIPE will take in calls, tokens, USD and minutes, and show its first prompts.

    Offline: no model is asked. The estimate is for a run where every first attempt is accepted.
    """
    import asyncio

    from synth.estimate import estimate
    from synth.prepared import prepare
    from synth.recipe.load import load_recipe

    loaded = load_recipe(recipe, overrides=overrides, count=count)
    terminal.hide(loaded.secrets)
    prepared = prepare(loaded)
    told = asyncio.run(estimate(prepared))
    if prepared.cleaned is not None and str(prepared.cleaned):
        _say_cleaned(terminal, prepared.cleaned)
    if as_json:
        import orjson

        prompts = {one.id: [_call_json(asked) for asked in one.first] for one in told.generators}
        click.echo(orjson.dumps(told.to_dict() | {"prompts": prompts}, option=orjson.OPT_INDENT_2).decode())
        return
    terminal.print(*_render(loaded.recipe, told))


def _say_cleaned(terminal: Terminal, cleaned: CleanedSeeds) -> None:
    terminal.say(f"seeds.clean: {cleaned}", style="bold")
    for what, shown in cleaned.tally.examples.items():
        for one in shown:
            texts = [repr(text)[:60] for text in (one.before, one.after) if text]
            terminal.say(f"  {what}, line {one.line}: {' → '.join(texts)}")


def _call_json(asked: Asked) -> Json:
    messages = [message.to_dict() for message in asked.request.messages]
    return {"role": asked.role, "model": asked.model, "messages": messages}


def _render(recipe: Recipe, told: Estimate) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    from synth.progress.example import render_messages

    yield _table(told)
    yield Text()
    for line in _limits(recipe, told):
        yield Text(line, style="dim")
    for one in told.generators:
        yield Text.assemble("\nThe first attempt of ", (one.id, "bold"), f" ({one.kind}) asks:")
        if one.amounts is None:
            yield Text(f"  This cannot be told beforehand: {one.kind} has no outline of what it asks.", style="dim")
        for asked, times in _distinct(one):
            sampling = asked.request.sampling
            words = [asked.role, f"to {asked.model}", f"up to {sampling.max_tokens:,} tokens"]
            words += [f"temperature {sampling.temperature:g}"] if sampling.temperature is not None else []
            words += [f"{times} times"] if times > 1 else []
            yield Text()
            yield Rule(" · ".join(words), align="left", style="dim")
            yield Padding(render_messages([message.to_dict() for message in asked.request.messages]), (0, 0, 0, 2))


def _distinct(one: GeneratorEstimate) -> Iterator[tuple[Asked, int]]:
    """The calls of a first attempt, equal ones once, with how often."""
    times = Counter((asked.role, asked.request.messages) for asked in one.first)
    for asked in one.first:
        yield from [(asked, n)] if (n := times.pop((asked.role, asked.request.messages), 0)) else []


def _table(told: Estimate) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("generator", no_wrap=True, overflow="ellipsis")
    for name in ("examples", "calls each", "calls", "tokens in", "tokens out", "cost", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in told.generators:
        each = f"{one.calls_each:.1f}".removesuffix(".0") if one.amounts else "?"
        table.add_row(one.id, f"{one.count:,}", each, *_cells(one.amounts))
    if len(told.generators) > 1:
        examples = sum(one.count for one in told.generators)
        table.add_row("in all", f"{examples:,}", "", *_cells(told.amounts), style="bold")
    return table


def _cells(amounts: Amounts | None) -> list[str]:
    from synth.progress.words import format_count, format_left, format_usd

    if amounts is None:
        return ["?"] * 5
    usage, cost = amounts.usage, amounts.cost_usd
    cells = [f"{amounts.calls:,}", format_count(usage.input), format_count(usage.output)]
    return [*cells, "?" if cost is None else format_usd(cost), format_left(amounts.seconds)]


def _limits(recipe: Recipe, told: Estimate) -> Iterator[str]:
    from synth.models.prices import find_price

    most = f"{recipe.budget.attempts:g} attempts per example (budget.attempts)"
    yield f"This is for a run where every first attempt is accepted. What is rejected is made again, up to {most}."
    if told.amounts.cost_usd is None:
        unknown = [f"models.{name}" for name, spec in recipe.models.items() if find_price(spec, spec.base_url) is None]
        yield f"The price of {', '.join(unknown)} is not known: give `price: {{input: …, output: …}}`."
    limits = _budgets(recipe.budget)
    if limits:
        yield f"A budget ends it at {' or '.join(limits)}."


def _budgets(budget: BudgetSpec) -> list[str]:
    said = [f"${budget.usd:,.2f}"] if budget.usd is not None else []
    said += [f"{budget.tokens:,} tokens"] if budget.tokens is not None else []
    return said + ([f"{budget.minutes:g} minutes"] if budget.minutes is not None else [])
