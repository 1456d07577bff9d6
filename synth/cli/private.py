"""``synth private``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--field", required=True, help="The column of numbers.")
@click.option(
    "--statistic", type=click.Choice(["count", "sum", "mean", "histogram"]), default="mean", show_default=True
)
@click.option(
    "--bounds", required=True, metavar="LOW,HIGH", help="Chosen without looking; values beyond are moved there."
)
@click.option(
    "--epsilon", type=click.FloatRange(0, min_open=True), required=True, help="What this one statistic may tell."
)
@click.option(
    "--budget", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True, help="Of ε, for the file."
)
@click.option("--bins", type=click.IntRange(1, 1000), default=10, show_default=True, help="Of a histogram.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_terminal
def command(
    terminal: Terminal,
    file: Path,
    field: str,
    statistic: str,
    bounds: str,
    epsilon: float,
    budget: float,
    bins: int,
    as_json: bool,
) -> None:
    """Tell one number about private rows with differential privacy, and note its ε in FILE.privacy.jsonl.

    One row counts as one person. The same file answers until the budget of ε is spent.
    """
    import orjson

    from synth.governance.numbers import parse_bounds, read_numbers
    from synth.governance.privacy import STATISTICS, Ledger, Query, private_statistic

    asked = next(name for name in STATISTICS if name == statistic)
    query = Query(asked, epsilon, parse_bounds(bounds), bins)
    values = read_numbers(file, field)
    ledger = Ledger(file)
    spent = ledger.spend(field, query, budget)
    found = private_statistic(values, query)
    if as_json:
        shown = {"field": field, "statistic": statistic, "epsilon": epsilon, "spent": spent, "values": found}
        click.echo(orjson.dumps(shown).decode())
        return
    from rich.text import Text

    terminal.print(Text(f"{statistic} of {field}: {', '.join(f'{value:,.4g}' for value in found)}"))
    terminal.say(f"ε {epsilon:g}; of this file's {budget:g}, {spent:g} is spent")
