"""What is said when a run is over: a table, one accepted example, where the files are, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from synth.events import RunFinished
from synth.messages import Json
from synth.progress.example import describe, render_messages
from synth.progress.words import format_count, format_duration, format_reasons, format_usd

STATUS_STYLES = {"complete": "bold green", "short": "bold yellow", "interrupted": "bold yellow", "failed": "bold red"}
_EXAMPLE_CHARACTERS = 1_200
_REASONS_BESIDE = 60
"""Columns from which the reasons of rejection have one in the table; below they stand under it."""


def print_ending(console: Console, event: RunFinished, *, resume: str = "") -> None:
    """``resume`` is the command that resumes the run; it is shown when that would go on."""
    summary = event.summary
    if event.example is not None:
        console.print(Text(f"An accepted example ({describe(event.example)}):", style="dim"), soft_wrap=True)
        messages = render_messages(event.example["messages"], longest=_EXAMPLE_CHARACTERS)
        console.print(Padding(messages, (0, 0, 1, 2)), highlight=False)
    console.print(GeneratorTable(summary["generators"], with_cost_from=88))
    status = Text.assemble(
        (summary["status"], STATUS_STYLES[summary["status"]]),
        f": {summary['accepted']:,} of {summary['requested']:,} in {format_duration(summary['seconds'])}",
    )
    console.print(status, soft_wrap=True)
    for line in beside_estimate(summary):
        _say(console, line)
    _say(console, _files(event))
    if event.message and event.message != summary["status"]:
        _say(console, f"  why: {event.message}")
    if event.hint:
        _say(console, f"  what to do: {event.hint}")
    if resume and resumable(event):
        _say(console, f"  to resume: {resume}")


def resumable(event: RunFinished) -> bool:
    """Whether the run would go on."""
    return event.summary["status"] != "complete" and not event.final


def beside_estimate(summary: Json) -> Iterator[str]:
    """What the run took, and what ``synth plan`` says of it; nothing where no model was asked."""
    if not summary["calls"]["sent"]:
        return
    calls = summary["calls"]
    taken = summary | {"cost_usd": None} if calls["unpriced"] else summary
    yield f"  took: {_amounts(taken, calls['sent'])}"
    if summary["estimate"] is not None:
        planned = _amounts(summary["estimate"], summary["estimate"]["calls"])
        yield f"  planned: {planned}, if nothing is rejected"


def _amounts(row: Json, calls: int) -> str:
    cost = "cost unknown" if row["cost_usd"] is None else format_usd(row["cost_usd"])
    tokens = row["tokens"]["input"] + row["tokens"]["output"]
    return f"{calls:,} calls, {format_count(tokens)} tokens, {cost}, {format_duration(row['seconds'])}"


def _files(event: RunFinished) -> str:
    rejected = " · rejected.jsonl" if event.summary["rejected"] else ""
    return f"  files: {event.run_dir / 'dataset'}/*.jsonl{rejected} · summary.json · README.md"


class GeneratorTable:
    """One line per generator, as ``summary.json`` has them, and one for all; tokens and cost where there are so many
    columns. Where it is narrow, names of generators are cut, not numbers."""

    def __init__(self, rows: Mapping[str, Json], *, with_cost_from: int) -> None:
        self._rows = dict(rows)
        if len(rows) > 1:
            self._rows["in all"] = _in_all(rows.values())
        self._with_cost_from = with_cost_from

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        beside = options.max_width >= _REASONS_BESIDE
        columns = {
            name: [cell(row) for row in self._rows.values()]
            for name, cell in _COLUMNS.items()
            if (name != _REASONS or beside) and (name not in _COSTS or options.max_width >= self._with_cost_from)
        }
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("generator", overflow="ellipsis")
        for name, cells in columns.items():
            if name == _REASONS:
                table.add_column(name, overflow="fold", min_width=len(name))
            else:
                longest = max(map(cell_len, (name, *cells)))
                table.add_column(name, justify="right", no_wrap=True, min_width=longest)
        for name, *cells in zip(self._rows, *columns.values(), strict=True):
            table.add_row(Text(name), *cells, style="bold" if name == "in all" else None)
        yield table
        for name, row in self._rows.items():
            if row["rejected"] and not beside:
                yield Text(f"  {name} rejected by: {format_reasons(row['rejected'])}")


def _in_all(rows: Iterable[Json]) -> Json:
    total: Json = {"requested": 0, "accepted": 0, "attempts": 0, "cost_usd": 0.0}
    rejected: Counter[str] = Counter()
    tokens: Counter[str] = Counter()
    for row in rows:
        for name in total:
            total[name] += row[name]
        rejected.update(row["rejected"])
        tokens.update(row["tokens"])
    return total | {"rejected": rejected, "tokens": tokens}


_REASONS = "rejected by"
_COSTS = {"tokens", "cost"}
_COLUMNS: dict[str, Callable[[Json], str]] = {
    "requested": lambda row: f"{row['requested']:,}",
    "accepted": lambda row: f"{row['accepted']:,}",
    "attempts": lambda row: f"{row['attempts']:,}",
    _REASONS: lambda row: format_reasons(row["rejected"]),
    "tokens": lambda row: format_count(row["tokens"]["input"] + row["tokens"]["output"]),
    "cost": lambda row: format_usd(row["cost_usd"]),
}


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
