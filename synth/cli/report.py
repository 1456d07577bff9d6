"""``synth report``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal


@click.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), help="Where to; else report.html in the run folder.")
@pass_terminal
def command(terminal: Terminal, run: Path, to: Path | None) -> None:
    """Write the run in DIR as one HTML file: counts, gates, pictures and twenty examples.

    The file needs nothing else and loads nothing, so it can be sent to a colleague.
    """
    from synth.files import write_atomically
    from synth.reader import RunReader
    from synth.report.marks import read_marks
    from synth.report.page import report_page

    with RunReader(run) as reader:
        page = report_page(reader, read_marks(run))
    path = to or run / "report.html"
    write_atomically(path, [page.encode()])
    click.echo(path)
