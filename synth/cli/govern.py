"""``synth govern``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal


@click.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), help="A policy: what may leave, as rules in YAML.")
@click.option("--purpose", help="What the rows are for; kept in the record.")
@click.option("--drafts", is_flag=True, help="Write drafts of the EU training-data summary and the AB 2013 statement.")
@pass_terminal
def command(terminal: Terminal, run: Path, policy: Path | None, purpose: str | None, drafts: bool) -> None:
    """Apply a policy to the run in DIR and keep the record of it, or draft what the law asks to be published.

    It says which checks passed, and never that anything is lawful: that people decide.
    """
    from synth.errors import UsageError

    if policy is None and not drafts:
        raise UsageError("there is nothing to do", hint="give --policy FILE, --drafts, or both")
    if policy is not None:
        from rich.table import Table
        from rich.text import Text

        from synth.export.exporting import dataset_rows
        from synth.governance.policy import load_policy
        from synth.governance.releasing import release
        from synth.report.marks import read_marks

        record = release(run, dataset_rows(run), load_policy(policy), purpose=purpose, marks=read_marks(run)).record
        table = Table("rule", "then", "rows", "could not tell", box=None, pad_edge=False)
        for rule in record.policy.rules:
            met, unknown = record.met[rule.spec.id], record.unknown[rule.spec.id]
            table.add_row(Text(rule.spec.id), rule.spec.then, f"{met:,}", f"{unknown:,}")
        terminal.print(table, Text(f"{record.verdict}: {record.rows:,} rows looked at; see {run / 'governance.json'}"))
    if drafts:
        from synth.governance.drafts import write_drafts

        for path in write_drafts(run):
            terminal.say(f"a draft in {path}: fill in what is marked, and have it checked")
