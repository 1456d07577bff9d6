"""``synth best``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal


@click.command()
@click.argument("source", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-n", "count", type=click.IntRange(1), required=True, help="How many rows to keep.")
@click.option("--by", default="quality", show_default=True, help="The score that ranks them: a gate's id.")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="A .jsonl, .csv or .parquet file.")
@pass_terminal
def command(terminal: Terminal, source: Path, count: int, by: str, to: Path) -> None:
    """Write the N best rows of the run in DIR, or of a file of rows with `scores`, in the order they are in there.

    The run itself stays as it is.
    """
    from synth.curation.ranking import best_rows
    from synth.curation.reading import Row, read_rows
    from synth.curation.writing import write_rows
    from synth.errors import UsageError
    from synth.export.exporting import dataset_rows

    def refuse(line: int, fault: str) -> None:
        raise UsageError(f"{source}:{line}: {fault}", hint="synth clean reads on over such lines")

    rows = dataset_rows(source)() if source.is_dir() else (row.data for row in read_rows(source, refuse))
    found = best_rows(rows, count, by)
    with write_rows(to) as writer:
        for number, row in enumerate(found.best, 1):
            writer.write(Row(number, row))
    terminal.say(
        f"{len(found.best):,} rows in {to}: {by} from {found.cut:.2f}, {found.mean:.2f} on average; "
        f"{found.mean_before:.2f} over all rows",
        style="bold",
    )
    if found.without:
        terminal.say(f"{found.without:,} rows have no score {by!r} and were left out", style="yellow")
    if len(found.best) < count:
        terminal.say(f"there are no more than {len(found.best):,} rows with that score", style="yellow")
