"""``synth status``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal

if TYPE_CHECKING:
    from synth.messages import Json
    from synth.reader import RunReader


@click.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the fields of summary.json, as they are now.")
@pass_terminal
def command(terminal: Terminal, run: Path, as_json: bool) -> None:
    """Say how far the run in DIR has come: while it is at work, and after it ended.

    The status is 'running', or what summary.json says, or 'unfinished' where a run was killed.
    """
    import orjson

    from synth.reader import RunReader

    with RunReader(run) as reader:
        now = _status(reader)
    if as_json:
        click.echo(orjson.dumps(now, option=orjson.OPT_INDENT_2).decode())
        return
    from rich.text import Text

    from synth.progress.ending import STATUS_STYLES, GeneratorTable

    status = Text.assemble(f"{run}: ", (now["status"], STATUS_STYLES.get(now["status"], "bold")))
    status.append(f" (process {now['process']})" if now["process"] is not None else "")
    status.append(f": {now['accepted']:,} of {now['requested']:,}")
    reasons = [
        Text(f"  {name}: {now[key]}") for name, key in (("why", "message"), ("what to do", "hint")) if now.get(key)
    ]
    terminal.print(status, *reasons, GeneratorTable(now["generators"], with_cost_from=72))


def _status(reader: RunReader) -> Json:
    from synth.reader import UNFINISHED

    process, summary, generators = reader.running, reader.summary or {}, reader.tally()
    now = {
        "status": "running",
        "process": process,
        "requested": sum(row["requested"] for row in generators.values()),
        "accepted": sum(row["accepted"] for row in generators.values()),
        "tokens": {name: sum(row["tokens"][name] for row in generators.values()) for name in ("input", "output")},
        "cost_usd": round(sum(row["cost_usd"] for row in generators.values()), 6),
        "generators": generators,
    }
    if process is not None:
        return now
    ended = summary.get("generators", {})
    if any(ended.get(name, {}).get("attempts") != row["attempts"] for name, row in generators.items()):
        return now | {"status": "unfinished"} | UNFINISHED
    return summary | now | {"status": summary["status"]}
