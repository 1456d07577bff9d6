"""``synth clean``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal

_STEPS = ("unicode", "markup", "invisible", "space")


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--field", "fields", multiple=True, help="Clean only this; may be given again. Default: every text.")
@click.option("--skip", multiple=True, type=click.Choice(_STEPS), help="Leave a step out; may be given again.")
@click.option("--min-words", type=click.IntRange(1), help="Drop rows with a text of fewer words; name a --field.")
@click.option("--max-words", type=click.IntRange(1), help="Drop rows with a text of more words; name a --field.")
@click.option("--language", "languages", multiple=True, help="Keep only this (en, de, …); may be given again.")
@click.option("--dedup", type=click.FloatRange(0, 1, min_open=True), help="Drop near-duplicates from this similarity.")
@pass_terminal
def command(
    terminal: Terminal,
    source: Path,
    target: Path,
    fields: tuple[str, ...],
    skip: tuple[str, ...],
    min_words: int | None,
    max_words: int | None,
    languages: tuple[str, ...],
    dedup: float | None,
) -> None:
    """Write IN to OUT with its texts clean: wrong Unicode, HTML, invisible characters and stray white space.

    Reads and writes .jsonl, .csv and .parquet, and .gz of these, one row after the other. It is said what each step
    changed and dropped, with examples.
    """
    from synth.curation import cleaning
    from synth.errors import UsageError

    try:
        from synth.curation.band_table import BandTable
        from synth.curation.cleaned import clean_file
        from synth.curation.dedup import Banded
        from synth.curation.minhash import Banding, Signer
    except ModuleNotFoundError as error:
        raise UsageError("synth clean needs numpy", hint="pip install 'synth[clean]'") from error

    makers = {
        "unicode": cleaning.unicode_step,
        "markup": cleaning.markup_step,
        "invisible": cleaning.invisible_step,
        "space": cleaning.space_step,
    }
    steps = {name: make() for name, make in makers.items() if name not in skip}
    if min_words is not None or max_words is not None:
        if not fields:
            raise UsageError("--min-words and --max-words count the words of a field", hint="name it with --field")
        steps["length"] = cleaning.length_step(min_words or 0, max_words)
    if languages:
        steps["language"] = cleaning.language_step(list(languages))
    deduplicator = Banded(Signer(Banding.choose(dedup)), BandTable()) if dedup is not None else None
    done = clean_file(source, target, steps, fields=fields, deduplicator=deduplicator)

    for line, fault in done.faults:
        terminal.say(f"{source}:{line}: {fault}", style="yellow")
    for verb, counts in (("changed", done.changed), ("dropped", done.dropped)):
        for what, count in counts.most_common():
            terminal.say(f"{verb} {count:,} rows: {what}", style="bold")
            for line, before, after in done.examples[what]:
                shown = f"{_short(before)} → {_short(after)}" if verb == "changed" else _short(before)
                terminal.say(f"  {source}:{line}: {shown}")
    words = f"{done.kept:,} of {done.read:,} rows kept in {target}"
    words += f", {done.unreadable:,} lines could not be read" if done.unreadable else ""
    terminal.say(words, style="bold")


def _short(text: str) -> str:
    """A text in quotes, what is invisible in it shown by its code."""
    shown = ascii(text) if not text.isprintable() else repr(text)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
