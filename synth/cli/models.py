"""``synth models``: which models synth can run itself, and fetching them."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from synth.models.embedded.cache import cached_path, is_pulled, models_dir
from synth.models.embedded.pull import ensure_model
from synth.models.embedded.registry import DEFAULT, MODELS, EmbeddedModel, find_model
from synth.models.progress import ModelState, Warned


@click.group(name="models")
def command() -> None:
    """Small open models that synth runs itself: no key, no server."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(as_json: bool) -> None:
    """Which models there are, and which are on this machine."""
    if as_json:
        import orjson

        rows = [_describe(model) for model in MODELS]
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table(box=None, pad_edge=False)
    for column in ("name", "size", "licence", "pulled"):
        table.add_column(column, justify="right" if column == "size" else "left", no_wrap=True)
    table.add_column("notes")
    for model in MODELS:
        pulled = "yes" if is_pulled(model) else "no"
        table.add_row(model.name, f"{model.size / 1e6:,.0f} MB", model.licence, pulled, model.notes)
    console = Console()
    console.print(table, highlight=False)
    console.print(f"\nPulled models lie in {models_dir()}", highlight=False, soft_wrap=True)


@command.command(name="pull")
@click.argument("name", default=DEFAULT)
def pull_model(name: str) -> None:
    """Fetch the model NAME into the cache, and check it."""
    path = pull_with_progress(find_model(name).name)
    click.echo(path)


def pull_with_progress(name: str) -> Path:
    """:func:`ensure_model` with a progress bar on stderr."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = _Bar(progress, console)
        return ensure_model(name, bar)


class _Bar:
    """Shows what a pull reports: a bar on a terminal, a line per phase elsewhere."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress = progress
        self._console = console
        self._task: TaskID | None = None
        self._phase = ""

    def __call__(self, event: ModelState | Warned) -> None:
        if isinstance(event, Warned):
            self._console.print(event.message, highlight=False, soft_wrap=True)
            return
        text = f"{event.model}: {event.phase}"
        if event.phase != self._phase:
            self._phase = event.phase
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(text, total=event.total or None)
            if not self._console.is_terminal:
                size = f" ({event.total / 1e6:,.0f} MB)" if event.total else ""
                self._console.print(text + size, highlight=False, soft_wrap=True)
        if self._task is not None:
            self._progress.update(self._task, completed=event.done)


def _describe(model: EmbeddedModel) -> dict[str, object]:
    return {
        "name": model.name,
        "title": model.title,
        "size": model.size,
        "sha256": model.sha256,
        "licence": model.licence,
        "context_length": model.context_length,
        "pulled": is_pulled(model),
        "path": str(cached_path(model)),
        "default": model.name == DEFAULT,
        "notes": model.notes,
    }
