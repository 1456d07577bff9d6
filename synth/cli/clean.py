"""``synth clean``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal

_STEPS = ("unicode", "markup", "invisible", "space")
_SHARE = click.FloatRange(0, 1, min_open=True)


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--field", "fields", multiple=True, help="Clean only this; may be given again. Default: every text.")
@click.option("--skip", multiple=True, type=click.Choice(_STEPS), help="Leave a step out; may be given again.")
@click.option("--min-words", type=click.IntRange(1), help="Drop rows with a text of fewer words; name a --field.")
@click.option("--max-words", type=click.IntRange(1), help="Drop rows with a text of more words; name a --field.")
@click.option("--language", "languages", multiple=True, help="Keep only this (en, de, …); may be given again.")
@click.option(
    "--quality", is_flag=True, help="Drop texts that hardly are any: symbols, repetitions, lists of keywords."
)
@click.option(
    "--toxicity", type=_SHARE, help="Drop rows that insult or threaten, from this probability (0.9; English)."
)
@click.option(
    "--license", "licenses", multiple=True, help="Keep only rows whose 'license' is this; may be given again."
)
@click.option("--pii", type=click.Choice(["reject", "redact", "replace"]), help="Personal data: drop the row, mark it, "
              "or put a stand-in in its place.")  # fmt: skip
@click.option("--pii-kind", "pii_kinds", multiple=True, help="Look only for this sort; may be given again.")
@click.option("--benchmark", "benchmarks", multiple=True, help="Drop what this file has too; may be given again.")
@click.option("--max-similarity", type=_SHARE, help="With --benchmark: compare meanings too, up to this cosine (0.85).")
@click.option("--dedup", type=_SHARE, help="Drop near-duplicates from this similarity (0.7).")
@click.option("--messages", is_flag=True, help="Make every row a chat, whatever format it has; drop what is none.")
@click.option("--workers", type=click.IntRange(1), help="Processes for a large file. Default: as many as cores.")
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
    quality: bool,
    toxicity: float | None,
    licenses: tuple[str, ...],
    pii: str | None,
    pii_kinds: tuple[str, ...],
    benchmarks: tuple[str, ...],
    max_similarity: float | None,
    dedup: float | None,
    messages: bool,
    workers: int | None,
) -> None:
    """Write IN to OUT with its texts clean: wrong Unicode, HTML, invisible characters and stray white space.

    Reads .jsonl, .json, .csv, .parquet, .txt and .html, writes .jsonl, .csv and .parquet, and .gz of these, one row
    after the other. It is said what each step changed and dropped, with examples.
    """
    import os

    from pydantic import ValidationError

    from synth.errors import UsageError
    from synth.recipe.cleaning import CleanSpec
    from synth.recipe.explain import constraint

    try:
        from synth.curation.cleaned import clean_file
    except ModuleNotFoundError as error:
        raise UsageError("synth clean needs numpy", hint="pip install 'synth[clean]'") from error

    if (min_words is not None or max_words is not None) and not fields:
        raise UsageError("--min-words and --max-words count the words of a field", hint="name it with --field")
    if pii_kinds and pii is None:
        raise UsageError("--pii-kind says what --pii looks for", hint="give --pii reject, redact or replace")
    if max_similarity is not None and not benchmarks:
        raise UsageError("--max-similarity compares with benchmarks", hint="name their files with --benchmark")
    try:
        spec = CleanSpec.model_validate(
            {
                "fields": fields,
                "skip": skip,
                "min_words": min_words,
                "max_words": max_words,
                "languages": languages,
                "quality": quality,
                "toxicity": toxicity,
                "license": {"allow": licenses} if licenses else None,
                "pii": {"action": pii} | ({"kinds": pii_kinds} if pii_kinds else {}) if pii else None,
                "decontaminate": {"files": benchmarks, "max_similarity": max_similarity} if benchmarks else None,
                "dedup": dedup,
                "messages": messages,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        what = "the cleaning" if isinstance(first["input"], dict) else repr(first["input"])
        raise UsageError(f"{what} {constraint(first)}", hint="see synth clean --help") from error
    done = clean_file(source, target, spec, workers=workers or len(os.sched_getaffinity(0)))

    for line, fault in done.faults:
        terminal.say(f"{source}:{line}: {fault}", style="yellow")
    for verb, counts in (("changed", done.tally.changed), ("dropped", done.tally.dropped)):
        for what, count in counts.most_common():
            terminal.say(f"{verb} {count:,} rows: {what}", style="bold")
            for one in done.tally.examples[what]:
                shown = [_short(text) for text in (one.before, one.after) if text]
                terminal.say(f"  {source}:{one.line}{': ' if shown else ''}{' → '.join(shown)}")
    words = f"{done.kept:,} of {done.read:,} rows kept in {target}{done.counted}"
    terminal.say(words, style="bold")


def _short(text: str) -> str:
    """A text in quotes, what is invisible in it shown by its code."""
    shown = ascii(text) if not text.isprintable() else repr(text)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
