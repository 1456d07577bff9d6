"""``synth show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from synth.messages import Json
    from synth.reader import AttemptLine


@click.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("unit", metavar="[ID]", required=False)
@click.option("--rejected/--accepted", "rejected", default=None, help="Without ID: list only these.")
@click.option("-n", "newest", type=click.IntRange(1), default=20, show_default=True, help="Without ID: list so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one object, or without ID one a line.")
@pass_terminal
def command(terminal: Terminal, run: Path, unit: str | None, rejected: bool | None, newest: int, as_json: bool) -> None:
    """Show the example or rejected attempt ID of the run in DIR, with every call behind it.

    ID is as in the dataset or in rejected.jsonl (maths-000007, or maths-7 for short). Without ID, the newest of each
    generator are listed.
    """
    from synth.reader import RunReader

    with RunReader(run) as reader:
        if unit is None:
            accepted = None if rejected is None else not rejected
            attempts = list(reader.attempts(accepted=accepted, newest=newest))
            _list(terminal, attempts, as_json=as_json)
            return
        found = reader.find_unit(unit)
        attempt, calls = reader.attempt(found), reader.calls(found)
    if as_json:
        import orjson

        row = attempt.row if attempt else None
        line = {"id": found, "verdict": _verdict(attempt), "row": row, "calls": calls}
        click.echo(orjson.dumps(line, option=orjson.OPT_INDENT_2).decode())
        return
    terminal.print(*_render(found, attempt, calls))


def _verdict(attempt: AttemptLine | None) -> str:
    if attempt is None:
        return "undecided"
    return "accepted" if attempt.gate is None else f"rejected by {attempt.gate}"


def _render(unit: str, attempt: AttemptLine | None, calls: list[Json]) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    from synth.progress.example import describe, render_messages
    from synth.progress.words import format_duration, format_usd

    style = "bold green" if attempt and attempt.gate is None else "bold yellow"
    yield Text.assemble(describe(attempt.row) if attempt else unit, " · ", (_verdict(attempt), style))
    if attempt is not None:
        if attempt.gate is not None:
            yield Text(f"  why: {attempt.row['reason']}")
        if attempt.row.get("messages"):
            changes = attempt.row.get("changes", ())
            yield Padding(render_messages(attempt.row["messages"], changes=changes), (1, 0, 0, 2))
        elif attempt.row.get("text"):
            yield Padding(Text(attempt.row["text"]), (1, 0, 0, 2))
    before: list[Json] = []
    for number, call in enumerate(calls, 1):
        words = [f"call {number} of {len(calls)}", call["id"].partition("/")[2], f"to {call['model']}"]
        words.append(f"{call['input']:,} + {call['output']:,} tokens")
        words.append(format_duration(call["seconds"]))
        words.append("no known price" if call["cost_usd"] is None else format_usd(call["cost_usd"]))
        words += [f"{call['tries']} tries"] if call["tries"] > 1 else []
        words += ["from the cache"] if call["source"] == "cache" else []
        words += [f"stopped by {call['response']['stop']}"] if call["response"]["stop"] != "stop" else []
        yield Text()
        yield Rule(" · ".join(words), align="left", style="dim", characters="─")
        asked = call["request"]["messages"]
        repeated = _shared(before, asked)
        if repeated:
            yield Text(f"  ({repeated} messages as above)", style="dim")
        yield Padding(render_messages([*asked[repeated:], call["response"]["message"]]), (0, 0, 0, 2))
        before = [*asked, call["response"]["message"]]


def _shared(before: list[Json], now: list[Json]) -> int:
    """How many messages a call begins with that were shown already: a conversation goes on, and repeats itself."""
    same = 0
    for one, other in zip(before, now, strict=False):
        if (one["role"], one.get("content")) != (other["role"], other.get("content")):
            break
        same += 1
    return same if same > 1 else 0


def _list(terminal: Terminal, attempts: list[AttemptLine], *, as_json: bool) -> None:
    import orjson

    if as_json:
        for attempt in attempts:
            click.echo(orjson.dumps(attempt.row | {"verdict": _verdict(attempt)}).decode())
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    longest = max((len(attempt.unit) for attempt in attempts), default=0)
    table.add_column("id", no_wrap=True, min_width=longest)  # what the command takes is never cut
    for name in ("seed", "verdict"):
        table.add_column(name, no_wrap=True)
    table.add_column("text", no_wrap=True, overflow="ellipsis", ratio=1)
    for attempt in attempts:
        row, verdict = attempt.row, attempt.gate or "accepted"
        style = "green" if attempt.gate is None else "yellow"
        table.add_row(attempt.unit, Text(str(row.get("seed_id") or "")), Text(verdict, style=style), Text(_line(row)))
    terminal.print(table)


def _line(row: Json) -> str:
    """A row in one line: why it was rejected, or what the user says first."""
    said = (message.get("content") for message in row.get("messages", ()) if message["role"] == "user")
    text = row["reason"] if "reason" in row else next(said, None) or row["messages"][-1].get("content") or ""
    return " ".join(str(text).split())[:300]
