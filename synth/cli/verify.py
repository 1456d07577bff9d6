"""``synth verify``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal


@click.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@pass_terminal
def command(terminal: Terminal, run: Path) -> int:
    """Say what was changed by hand in the run folder DIR. Exits with 1 where anything was."""
    from synth.errors import EXIT_COMPLETE, EXIT_FAILED
    from synth.export.verifying import verify
    from synth.reader import RunReader

    with RunReader(run) as reader:
        differences = list(verify(reader))
    for difference in differences:
        terminal.say(difference, style="yellow")
    if not differences:
        terminal.say(f"{run} is as its run left it", style="bold")
    return EXIT_FAILED if differences else EXIT_COMPLETE
