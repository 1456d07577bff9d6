"""``synth measure``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal

if TYPE_CHECKING:
    from rich.table import Table

    from synth.messages import Json

_LISTED = 5


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--against", type=click.Path(path_type=Path), help="Also measure how near each text is to this file's.")
@click.option("--field", help="The column to measure. Default: text, or what user and assistant said.")
@click.option("--embedder", default="auto", show_default=True, help="minilm, a sentence-transformers model, or off.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_terminal
def command(
    terminal: Terminal, path: Path, against: Path | None, field: str | None, embedder: str, as_json: bool
) -> None:
    """Measure how varied the dataset of the run in PATH, or the file PATH, is.

    Self-BLEU (0 to 100) and nearest similarity: lower is more varied. distinct-n, vocabulary and Vendi score (the
    effective number of different texts): higher is.
    """
    import orjson

    from synth.measure import measure_path

    measures = measure_path(path, against=against, field=field, embedder=embedder)
    if as_json:
        click.echo(orjson.dumps(measures, option=orjson.OPT_INDENT_2).decode())
        return
    terminal.print(_table(measures))
    for name, measured in measures.items():
        if embedder == "auto" and "vendi" not in measured and measured["texts"]:
            terminal.say(f"{name}: meanings were not measured; pip install 'synth[diversity]' for that")
        for t, coverage in measured.get("coverage", {}).items():
            for missing in coverage["missing"][:_LISTED]:
                terminal.say(f"{name}: no row has {', '.join(f'{axis} = {value}' for axis, value in missing.items())}")
            left = coverage["possible"] - coverage["covered"] - _LISTED
            if left > 0:
                terminal.say(f"{name}: and {left:,} more combinations of {t}")


def _table(measures: dict[str, Json]) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("measure")
    for name in measures:
        table.add_column(name, justify="right")
    cells = {name: dict(_cells(measured)) for name, measured in measures.items()}
    for label in dict.fromkeys(label for column in cells.values() for label in column):
        table.add_row(label, *(column.get(label, "") for column in cells.values()))
    return table


def _cells(measured: Json) -> Iterator[tuple[str, str]]:
    yield "texts", f"{measured['texts']:,}"
    if "empty" in measured:
        yield "rows without a text", f"{measured['empty']:,}"
    if measured["self_bleu"] is not None:
        yield "self-BLEU", f"{measured['self_bleu']:.1f}"
    for n in (1, 2, 3) if measured["texts"] else ():
        yield f"distinct-{n}", f"{measured[f'distinct_{n}']:.3f}"
    yield "vocabulary", f"{measured['vocabulary']:,}"
    if (length := measured["length"]) is not None:
        yield "tokens, mean", f"{length['mean']:.1f}"
        yield "tokens, range", f"{length['shortest']}-{length['longest']}"
    if "vendi" in measured:
        yield "Vendi score", f"{measured['vendi']:.1f}"
    for key, label in (("nearest", "nearest"), ("nearest_against", "nearest against")):
        if key in measured:
            yield f"{label}, mean cosine", f"{measured[key]['mean']:.3f}"
            yield f"{label}, worst cosine", f"{measured[key]['worst']:.3f}"
    for t, coverage in measured.get("coverage", {}).items():
        yield f"coverage, t = {t}", f"{coverage['covered']:,}/{coverage['possible']:,}"
