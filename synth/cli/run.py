"""``synth run``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synth.cli.terminal import Terminal, pass_terminal

if TYPE_CHECKING:
    from synth.events import Listener
    from synth.job import Resume


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "--run-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the run lives. Default: runs/<name of the recipe>.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Override a field of the recipe, for example --set generate.0.count=5. May be given many times.",
)
@click.option("--count", type=int, metavar="N", help="Give every generator this count.")
@click.option(
    "--resume",
    type=click.Choice(["auto", "never", "require"]),
    default="auto",
    show_default=True,
    help="auto: go on with what the folder holds; never: refuse a folder with a run; require: refuse one without.",
)
@click.option("--dvc", is_flag=True, help="Also write this run as a stage of dvc.yaml, for dvc repro.")
@click.option("--quiet", is_flag=True, help="Say nothing but why a run did not complete.")
@click.option("--json", "as_json", is_flag=True, help="Say everything as JSON lines on stderr.")
@pass_terminal
def command(
    terminal: Terminal,
    recipe: Path,
    run_dir: Path | None,
    overrides: tuple[str, ...],
    count: int | None,
    resume: Resume,
    dvc: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Make the dataset of RECIPE, or finish it where an earlier run ended.

    Exit status: 0 complete, 1 failed, 2 wrong recipe or usage, 3 finished short (a budget or the attempts ran out),
    130 interrupted; the same command resumes.
    """
    if quiet and as_json:
        raise click.UsageError("--quiet and --json do not go together.")
    terminal.as_json = as_json
    from synth.cli.failures import report
    from synth.errors import EXIT_INTERRUPTED, SynthError
    from synth.job import run
    from synth.recipe.load import load_recipe

    loaded = load_recipe(recipe, overrides=overrides, count=count)
    terminal.hide(loaded.secrets)
    terminal.run_dir = run_dir or Path("runs") / loaded.recipe.name
    if run_dir is None and resume == "auto":
        _refuse_to_begin_anew(recipe, terminal.run_dir)
    again = _resume_command(recipe, run_dir, overrides, count)
    if dvc:
        from synth.export.dvc import write_stage

        write_stage(loaded, terminal.run_dir, again)
    try:
        result = run(loaded, run_dir=run_dir, resume=resume, listener=_listener(terminal, again, quiet=quiet))
    except KeyboardInterrupt:  # while the run was being made ready, or again, while it was being put away
        report(terminal, SynthError("interrupted", hint=f"to resume: {again}"))
        return EXIT_INTERRUPTED
    if quiet and result.ending.exit_code:
        terminal.say(f"synth: {result.ending.status}: {result.ending.message}")
        if not result.ending.final:
            terminal.say(f"  to resume: {again}")
    return result.ending.exit_code


def _refuse_to_begin_anew(recipe: Path, run_dir: Path) -> None:
    """What was made from another working folder has been paid for. Raises ``UsageError`` where there is such a run."""
    from synth.errors import UsageError

    folder = recipe.resolve().parent
    for other in (folder, folder.parent):
        found = other / run_dir
        if (
            found.resolve() != run_dir.resolve()
            and (found / "run.sqlite").exists()
            and not (run_dir / "run.sqlite").exists()
        ):
            raise UsageError(
                f"{found} holds a run of that name, and {run_dir} would begin one anew",
                hint=f"to go on with it: --run-dir {shlex.quote(str(found))}; to begin anew: --run-dir {run_dir}",
            )


def _listener(terminal: Terminal, resume: str, *, quiet: bool) -> Listener:
    if quiet:
        from synth.events import ignore

        return ignore
    if terminal.as_json:
        from synth.progress.json_lines import JsonProgress

        return JsonProgress(terminal.stream, resume=resume)
    from synth.progress.show import show_progress

    return show_progress(terminal.console(), live=terminal.live, resume=resume)


def _resume_command(recipe: Path, run_dir: Path | None, overrides: Sequence[str], count: int | None) -> str:
    words = ["synth", "run", str(recipe)]
    words += ["--run-dir", str(run_dir)] if run_dir is not None else []
    words += [word for override in overrides for word in ("--set", override)]
    words += ["--count", str(count)] if count is not None else []
    return shlex.join(words)
