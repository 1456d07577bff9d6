"""``synth push``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal


@click.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("repository", metavar="OWNER/NAME")
@click.option("--public", is_flag=True, help="Let everyone see it. Default: private.")
@pass_terminal
def command(terminal: Terminal, run: Path, repository: str, public: bool) -> None:
    """Put the dataset of the run in DIR on the Hugging Face hub, with its card and metadata."""
    import os

    from synth.export.hub import push
    from synth.governance.releasing import note_access
    from synth.reader import RunReader

    terminal.hide([os.environ.get("HF_TOKEN", "")])
    with RunReader(run) as reader:
        rows = sum(entry["accepted"] for entry in reader.tally().values())
    address = push(run, repository, private=not public)
    note_access(run, action="push", to=address, rows=rows, policy=None, purpose=None)
    terminal.say(f"{rows:,} rows are at {address}")
