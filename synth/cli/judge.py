"""``synth judge``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from synth.messages import Json

_WORST_SHOWN = 3


@click.command()
@click.argument("path", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--rubric", metavar="R", help="A shipped rubric's name, or a .yaml file. Default: as the run's judge gate."
)
@click.option(
    "--model",
    "judges",
    multiple=True,
    metavar="NAME",
    help="A judge: a model of the run's recipe, of synth models list, or a .gguf. May be given many times.",
)
@click.option("--against", type=click.Path(path_type=Path), help="Labels: judge the rows that have one, and compare.")
@click.option("--min", "least", type=click.FloatRange(0, 1), help="The score that counts as good. Default: 0.6.")
@click.option("-n", "number", type=click.IntRange(1), metavar="N", help="Judge only the first N rows.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every row's verdicts and reasons.")
@pass_terminal
def command(
    terminal: Terminal,
    path: Path,
    rubric: str | None,
    judges: tuple[str, ...],
    against: Path | None,
    least: float | None,
    number: int | None,
    as_json: bool,
) -> None:
    """Judge the rows of the run in DIR, or of the JSONL file DIR, by a rubric.

    With --against labels.jsonl ({"id": …, "mark": "good" | "bad"}, or "levels": {criterion: level}) it says how far the
    judges are right: accuracy, and Cohen's kappa, which is 0 for a judge that guesses.
    """
    from synth.progress.show import show_progress
    from synth.rejudge import judge_rows, plan_judging

    judging = plan_judging(path, rubric=rubric, judges=judges, least=least)
    terminal.hide(spec.api_key for spec in judging.models.values() if spec.api_key)
    listener = show_progress(terminal.console(), live=terminal.live, ending=False)
    found = judge_rows(path, judging, against=against, limit=number, listener=listener)
    if as_json:
        import orjson

        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        terminal.print(*_render(found))
    for warning in found["warnings"]:
        terminal.say(warning, style="yellow")
    if found.get("unknown"):
        terminal.say(f"{len(found['unknown'])} labels are of no row, such as {found['unknown'][0]!r}", style="yellow")


def _render(found: Json) -> Iterator[RenderableType]:
    from rich.text import Text

    judged = [row for row in found["rows"] if row["score"] is not None]
    mean = sum(row["score"] for row in judged) / len(judged) if judged else 0
    yield Text(f"{len(found['rows'])} rows by {found['rubric']}; mean score {mean:.2f}\n", style="bold")
    yield _levels(found["report"])
    if "against" in found:
        yield Text()
        yield _against(found["against"])
        return
    for row in sorted(judged, key=lambda row: row["score"])[:_WORST_SHOWN]:
        yield Text(f"\n{row['id']}  {row['score']:.2f}", style="bold")
        for verdict in row["judgement"]["verdicts"]:
            for name, reason in (verdict.get("reasons") or {}).items():
                yield Text(f"  {name}: {verdict['levels'][name]}. {reason}")


def _levels(report: Json) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column in ("criterion", "judge", "levels", "agreement between judges"):
        table.add_column(column)
    for criterion, said in report["criteria"].items():
        agreement = said["agreement"]
        for place, (judge, levels) in enumerate(said["levels"].items()):
            table.add_row(
                criterion if place == 0 else "",
                judge,
                ", ".join(f"{level} {times}" for level, times in levels.items()),
                _kappa(agreement, f"{agreement['statistic'].capitalize()}'s kappa") if agreement and not place else "",
            )
    return table


def _against(found: Json) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column, justify in (
        ("against the labels", "left"),
        ("judge", "left"),
        ("rows", "right"),
        ("accuracy", "right"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    table.add_column("kappa")
    table.add_column("label → verdict")
    lines: list[tuple[str, str, Json]] = []
    if found["marks"] is not None:
        lines.append((f"good or bad (score ≥ {found['min']:g})", "all", found["marks"]["panel"]))
        lines += [("", one["judge"], one) for one in found["marks"]["judges"]]
    for criterion, judges in found["criteria"].items():
        lines += [(criterion if place == 0 else "", one["judge"], one) for place, one in enumerate(judges)]
    for what, judge, one in lines:
        rows = f"{one['items']}" + (f" (+{one['none']} unread)" if one["none"] else "")
        accuracy = f"{one['accuracy']:.2f}" if one["accuracy"] is not None else "–"
        confused = "; ".join(
            f"{label} → " + ", ".join(f"{verdict} {times}" for verdict, times in verdicts.items())
            for label, verdicts in one["confusion"].items()
        )
        table.add_row(what, judge, rows, accuracy, _kappa(one, ""), confused)
    return table


def _kappa(found: Json, words: str) -> str:
    value = "undefined: all the same level" if found["kappa"] is None else f"{found['kappa']:.2f}"
    return f"{words} {value}".strip()
