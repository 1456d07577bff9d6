"""``synth diff``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal

_MOST_SHOWN = 10


@click.command()
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every row's id.")
@pass_terminal
def command(terminal: Terminal, first: Path, second: Path, as_json: bool) -> None:
    """Compare the runs in A and B: recipes, counts, scores, and the rows that only one of them has."""
    from synth.governance.comparing import compare
    from synth.reader import RunReader

    with RunReader(first) as one, RunReader(second) as other:
        found = compare(one, other)
    if as_json:
        import orjson

        click.echo(orjson.dumps(found.to_dict(), option=orjson.OPT_INDENT_2).decode())
        return
    from rich.table import Table
    from rich.text import Text

    recipe = [Text(f"recipe: {change}") for change in found.recipe] or [Text("The recipes make the same.")]
    table = Table("", str(first), str(second), box=None, pad_edge=False)
    for name, (before, after) in found.counts.items():
        table.add_row(Text(name), f"{before:,}", f"{after:,}", style="bold" if before != after else "dim")
    lines = [Text(f"{found.same:,} rows are the same")]
    for folder, only in ((first, found.only_first), (second, found.only_second)):
        if only:
            more = f" and {len(only) - _MOST_SHOWN:,} more" if len(only) > _MOST_SHOWN else ""
            lines.append(Text(f"{len(only):,} only in {folder}: {', '.join(only[:_MOST_SHOWN])}{more}"))
    terminal.print(*recipe, table, *lines)
