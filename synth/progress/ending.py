"""What is said when a run is over: a table, one accepted example, where the files are, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from synth.events import RunFinished
from synth.messages import Json
from synth.progress.example import describe, render_messages
from synth.progress.words import format_count, format_duration, format_reasons, format_usd

STATUS_STYLES = {"complete": "bold green", "short": "bold yellow", "interrupted": "bold yellow", "failed": "bold red"}
_EXAMPLE_CHARACTERS = 1_200


def print_ending(console: Console, event: RunFinished, *, resume: str = "") -> None:
    """``resume`` is the command that resumes the run; it is shown when that would go on."""
    summary = event.summary
    if event.example is not None:
        console.print(Text(f"An accepted example ({describe(event.example)}):", style="dim"), soft_wrap=True)
        messages = render_messages(event.example["messages"], longest=_EXAMPLE_CHARACTERS)
        console.print(Padding(messages, (0, 0, 1, 2)), highlight=False)
    console.print(generator_table(summary["generators"], wide=console.width >= 88))
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
    if summary["status"] != "complete" and resume and not event.final:
        _say(console, f"  to resume: {resume}")


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


def generator_table(rows: Mapping[str, Json], *, wide: bool) -> Table:
    """One line per generator, as ``summary.json`` has them, and one for all; ``wide`` has room for tokens and cost."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("generator", no_wrap=True, overflow="ellipsis")
    for name in ("requested", "accepted", "attempts"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("rejected by", overflow="fold")
    if wide:
        for name in ("tokens", "cost"):
            table.add_column(name, justify="right", no_wrap=True)
    for name, row in rows.items():
        table.add_row(name, *_cells(row, wide=wide))
    if len(rows) > 1:
        table.add_row("in all", *_cells(_in_all(rows.values()), wide=wide), style="bold")
    return table


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


def _cells(row: Json, *, wide: bool) -> list[str]:
    cells = [f"{row['requested']:,}", f"{row['accepted']:,}", f"{row['attempts']:,}", format_reasons(row["rejected"])]
    if wide:
        cells += [format_count(row["tokens"]["input"] + row["tokens"]["output"]), format_usd(row["cost_usd"])]
    return cells


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
