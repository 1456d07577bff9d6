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
    from synth.errors import UsageError
    from synth.files import refuse_file_of_a_run, write_atomically
    from synth.reader import RunReader
    from synth.report.marks import read_marks
    from synth.report.page import report_page

    path = to or run / "report.html"
    refuse_file_of_a_run(path)
    if path.exists() and path.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(f"--to {path}: a report is HTML, and this file would be lost", hint="name an .html file")
    with RunReader(run) as reader:
        page = report_page(reader, read_marks(run))
    write_atomically(path, [page.encode()])
    click.echo(path)
