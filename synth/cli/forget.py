"""``synth forget``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal


@click.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--seed", required=True, metavar="ID", help="The seed's id, as rows name it in seed_id.")
@pass_terminal
def command(terminal: Terminal, run: Path, seed: str) -> None:
    """Remove a seed and all that came from it from the run in DIR: rows, rejected attempts, and the calls behind them.

    Exports that lie elsewhere, the seeds file and the shared cache are not touched, and it is said so.
    """
    from synth.governance.forgetting import forget

    gone = forget(run, seed)
    counts = (
        f"{len(gone.accepted)} examples, {len(gone.rejected)} rejected attempts, and {gone.calls} calls behind them"
    )
    terminal.say(f"{run} has forgotten {seed}: {counts}")
    for title, names in (("examples", gone.accepted), ("rejected attempts", gone.rejected)):
        if names:
            terminal.say(f"{title}: {', '.join(names)}")
    for path in gone.elsewhere:
        terminal.say(f"{path} still holds a text of theirs: look at it, and remove it", style="yellow")
    if gone.resumable:
        then = "the run resumes without it, and makes other examples in place of what is gone"
    else:
        then = "this run then stays as it is: for more examples give another --run-dir"
    terminal.say(f"Remove it from the seeds file too; {then}.")
    terminal.say("What was exported elsewhere, or kept with `cache: true`, is yours to clean.")
