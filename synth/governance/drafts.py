"""Drafts of what the law asks to be published about training data, filled from what a run knows; the rest is marked.

The headings follow the template of the European Commission for the summary of Article 53(1)(d) of Regulation (EU)
2024/1689 (24 July 2025), and section 3111(a) of the California Civil Code (AB 2013). A draft is no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from synth.errors import UsageError
from synth.files import write_atomically
from synth.messages import Json
from synth.reader import RunReader

BLANK = "**[to be filled in]**"


def write_drafts(run_dir: Path) -> tuple[Path, Path]:
    """Write ``eu-training-data-summary.md`` and ``california-ab-2013.md`` into the run folder."""
    with RunReader(run_dir) as reader:
        if reader.summary is None:
            raise UsageError(f"{run_dir} has not ended yet", hint="run its recipe again: it resumes")
        facts = _Facts(reader.lock.recipe, reader.lock.synth, reader.summary, _months(reader))
    paths = run_dir / "eu-training-data-summary.md", run_dir / "california-ab-2013.md"
    write_atomically(paths[0], [_eu(facts).encode()])
    write_atomically(paths[1], [_california(facts).encode()])
    return paths


class _Facts:
    """What a run knows of itself, in sentences."""

    def __init__(self, recipe: Json, version: str, summary: Json, months: str) -> None:
        self.name: str = recipe["name"]
        self.rows: int = summary["accepted"]
        self.months = months
        self.licence = recipe["output"]["license"] or BLANK
        self.models = "; ".join(
            f"{model['model'] or name} (provider `{model['provider']}`)" for name, model in recipe["models"].items()
        )
        kinds = ", ".join(
            f"{spec['kind']} ({summary['generators'][spec['id']]['accepted']:,})" for spec in recipe["generate"]
        )
        self.made = f"{self.rows:,} conversations in text, made by synth {version}; by kind: {kinds}."
        self.seeds = "none" if recipe["seeds"] is None else f"the curated examples in `{recipe['seeds']['path']}`"
        gates = [gate["id"] for gate in recipe["gates"]]
        self.gates = ", ".join(f"`{gate}`" for gate in gates) or "none beyond the checks of each kind"
        self.rejected = ", ".join(f"{gate} {count:,}" for gate, count in summary["rejected"].items()) or "none"
        self.pii = next((gate for gate in recipe["gates"] if gate["gate"] == "pii"), None)

    @property
    def personal(self) -> str:
        if self.pii is None:
            return f"Not examined: the recipe has no gate `pii`. {BLANK}"
        action = self.pii["action"]
        return f"The gate `pii` looked through every row (action: {action}); its documentation says what it misses."


def _months(reader: RunReader) -> str:
    return reader.started.strftime("%B %Y") if reader.started is not None else BLANK


def _eu(facts: _Facts) -> str:
    return _document(
        f"Public summary of training content: {facts.name}",
        "Draft after the template of the European Commission for Article 53(1)(d) of Regulation (EU) 2024/1689. It "
        "covers this dataset only; the summary is due for the model that is trained.",
        [
            ("1. General information", None),
            ("1.1 Provider", BLANK),
            ("1.2 Model", f"Name and version: {BLANK}. Date of placing on the Union market: {BLANK}."),
            (
                "1.3 Modalities, size and characteristics",
                f"Text. {facts.made} Made in {facts.months}. Languages: {BLANK}.",
            ),
            ("2. Data sources", None),
            ("2.1 Publicly available datasets", f"Where the seeds come from: {BLANK}. They are {facts.seeds}."),
            ("2.2 Private datasets obtained from third parties", BLANK),
            ("2.3 Data crawled and scraped from online sources", "None by this run. Of the seeds: " + BLANK),
            ("2.4 User data", BLANK),
            (
                "2.5 Synthetic data",
                f"All {facts.rows:,} rows. Models that made them: {facts.models}. How, and from what, each row's "
                f"`lineage` says. What the models were themselves trained on: {BLANK}",
            ),
            ("2.6 Other sources", BLANK),
            ("3. Data processing", None),
            ("3.1 Respect of reservations of rights (text and data mining)", BLANK),
            (
                "3.2 Removal of illegal content",
                f"Gates that every row passed: {facts.gates}. Rejected attempts by gate: {facts.rejected}. Further "
                f"measures: {BLANK}",
            ),
            ("3.3 Other information", f"Personal data: {facts.personal} Licence of the rows: {facts.licence}."),
        ],
    )


def _california(facts: _Facts) -> str:
    return _document(
        f"Training data documentation: {facts.name}",
        "Draft after section 3111(a) of the California Civil Code (AB 2013). It covers this dataset only.",
        [
            (
                "(1) Sources or owners of the datasets",
                f"Made by the developer with synth from {facts.seeds}. Owner: {BLANK}",
            ),
            ("(2) How the datasets further the intended purpose", BLANK),
            ("(3) Number of data points", f"{facts.rows:,}"),
            ("(4) Types of data points", f"{facts.made} Labels: {BLANK}"),
            (
                "(5) Data protected by copyright, trademark or patent, or in the public domain",
                f"Licence of the rows: {facts.licence}. Of the seeds: {BLANK}",
            ),
            ("(6) Whether the datasets were purchased or licensed", BLANK),
            ("(7) Personal information (section 1798.140(v))", facts.personal),
            ("(8) Aggregate consumer information (section 1798.140(b))", BLANK),
            (
                "(9) Cleaning, processing, or other modification",
                f"Gates, in order: {facts.gates}. Rejected attempts by gate: {facts.rejected}.",
            ),
            ("(10) Period of collection", f"Made in {facts.months}. The seeds: {BLANK}"),
            ("(11) First use in development", BLANK),
            ("(12) Synthetic data generation", f"Yes: every row is synthetic, made by {facts.models}."),
        ],
    )


def _document(title: str, opening: str, sections: list[tuple[str, str | None]]) -> str:
    """A section without a text is a heading over those that follow."""

    def parts() -> Iterator[str]:
        yield f"# {title}"
        yield f"> {opening} What is marked {BLANK} synth cannot know. This is no legal advice."
        for heading, text in sections:
            yield f"{'##' if text is None or heading[0] == '(' else '###'} {heading}"
            if text is not None:
                yield text

    return "\n\n".join(parts()) + "\n"
