"""``synth dedup``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--field", default="text", show_default=True, help="What is compared; of 'messages' all that was said.")
@click.option("--threshold", type=click.FloatRange(0, 1, min_open=True), default=0.7, show_default=True,
              help="Jaccard similarity of three-word shingles from which a text counts as a duplicate.")  # fmt: skip
@click.option("--exact", is_flag=True, help="Compare exactly instead of by MinHash: slower, nothing missed or wrong.")
@click.option("--index", type=click.Path(path_type=Path), help="Remember what was kept in this file (LSHBloom), and "
              "go on from it: a corpus piece by piece.")  # fmt: skip
@click.option("--expect", type=click.IntRange(1), help="For a new --index: texts that it must hold in all.")
@click.option("--overhead", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=1e-5,
              show_default=True, help="For a new --index: most false positives that its filters add.")  # fmt: skip
@pass_terminal
def command(
    terminal: Terminal,
    source: Path,
    target: Path,
    field: str,
    threshold: float,
    exact: bool,
    index: Path | None,
    expect: int | None,
    overhead: float,
) -> None:
    """Write IN to OUT without near-duplicates: the first of them stays.

    Reads and writes .jsonl, .csv and .parquet, and .gz of these, one row after the other.
    """
    from synth.errors import UsageError

    if index is not None and exact:
        raise UsageError("--exact keeps every text in memory, and --index keeps none", hint="leave out one of them")
    if index is None and expect is not None:
        raise UsageError("--expect is the size of an index", hint="name its file with --index")
    try:
        from synth.curation.band_table import BandTable
        from synth.curation.bloom import BloomIndex
        from synth.curation.dedup import Banded, Exact
        from synth.curation.deduplicating import deduplicate
        from synth.curation.minhash import Banding, Signer
    except ModuleNotFoundError as error:
        raise UsageError("synth dedup needs numpy", hint="pip install 'synth[dedup]'") from error

    if exact:
        done = deduplicate(source, target, field, Exact(threshold))
    elif index is None:
        done = deduplicate(source, target, field, Banded(Signer(Banding.choose(threshold)), BandTable()))
    else:
        banding = Banding.choose(threshold)
        filters = BloomIndex.open(index, banding, threshold, expect, overhead)
        try:
            done = deduplicate(source, target, field, Banded(Signer(banding), filters))
            filters.commit()
        finally:
            filters.discard()
        if filters.kept > filters.size.expected:
            terminal.say(
                f"{index} holds {filters.kept:,} texts and was made for {filters.size.expected:,}: it flags too many",
                style="yellow",
            )
    for line, fault in done.faults:
        terminal.say(f"{source}:{line}: {fault}", style="yellow")
    for line, text in done.examples:
        terminal.say(f"dropped {source}:{line}: {' '.join(text.split())[:100]}")
    words = f"{done.kept:,} rows kept in {target}, {done.dropped:,} near-duplicates dropped{done.counted}"
    words += f"; {done.without_text:,} rows have no text in {field!r} and were kept" if done.without_text else ""
    terminal.say(words, style="bold")
