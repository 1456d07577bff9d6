"""``synth export``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal

_FORMATS = ("messages", "alpaca", "sharegpt", "llama3", "hermes", "dpo", "dpo_standard", "kto", "reward", "parquet")
_MARKS = ("good", "bad", "unsure", "none")


@click.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--format", "format_name", type=click.Choice(_FORMATS), required=True, help="What to write.")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="A .jsonl or .parquet file, or a folder.")
@click.option(
    "--split", help="Shares by name, such as train=0.9,test=0.1: one file each, rows of one seed in the same."
)
@click.option("--split-seed", type=int, default=0, show_default=True, help="Another number, other sides.")
@click.option("--policy", type=click.Path(path_type=Path), help="Write only what this policy lets out.")
@click.option("--purpose", help="What the rows are for, where the policy asks; kept in the record.")
@click.option("--shard-size", type=click.IntRange(1), help="Begin a new file after so many rows.")
@click.option("--mark", "marks", type=click.Choice(_MARKS), multiple=True, help="Only rows marked so in synth view.")
@pass_terminal
def command(
    terminal: Terminal,
    run: Path,
    format_name: str,
    to: Path,
    split: str | None,
    split_seed: int,
    policy: Path | None,
    purpose: str | None,
    shard_size: int | None,
    marks: tuple[str, ...],
) -> None:
    """Write the dataset of the run in DIR in another format.

    Rows that the format cannot hold are left out, and it is said how many and why.
    """
    from synth.export.exporting import dataset_rows, export_rows, only_marked, require_any, require_records
    from synth.export.split import parse_shares
    from synth.files import refuse_file_of_a_run
    from synth.governance.policy import load_policy
    from synth.governance.releasing import note_access, release
    from synth.report.marks import read_marks

    shares = parse_shares(split) if split is not None else None
    for path in (to, *(to / f"{name}.jsonl" for name in shares or ())):
        refuse_file_of_a_run(path)
    rows = dataset_rows(run)
    require_any(rows, f"the run in {run} has no examples", "see its rejected.jsonl for the reasons")
    if marks:
        rows = only_marked(rows, read_marks(run), marks)
        require_any(
            rows, f"no row of {run} has the mark {' or '.join(marks)}", "mark rows in synth view, or leave out --mark"
        )
    rules = load_policy(policy) if policy is not None else None
    if rules is not None:
        released = release(run, rows, rules, purpose=purpose, marks=read_marks(run))
        rows = released.rows
        terminal.say(f"{rules.name} {rules.version}: {released.record.verdict}")
        require_any(rows, f"the policy {rules.name} lets no row of {run} out", f"see {run / 'governance.json'}")
    require_records(rows, format_name)
    done = export_rows(rows, format_name, to, shares=shares, shard_size=shard_size, seed=split_seed)
    note_access(run, action=f"export {format_name}", to=str(to), rows=done.written, policy=rules, purpose=purpose)
    for path, count in done.files.items():
        terminal.say(f"{count:,} rows in {path}")
    for name in done.empty:
        terminal.say(
            f"no rows for {name}: all rows of a seed are on one side, and the seeds are too few", style="yellow"
        )
    if done.on_both_sides:
        terminal.say(
            f"{done.on_both_sides:,} seeds are on more than one side: they were shown as examples in prompts of others",
            style="yellow",
        )
    for reason, count in done.left_out.most_common():
        terminal.say(f"{count:,} rows left out: {reason}", style="yellow")
