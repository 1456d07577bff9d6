"""The recipe as pydantic models: the one description of what a user may write.

Field docstrings are the reference: they become the JSON Schema that ``synth schema`` prints and editors complete from.
Nothing here reads a file or knows of a run. What the models cannot say (names that refer to nothing, missing files,
templates that do not compile) is checked by :mod:`synth.recipe.load`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from synth.recipe.axes import Axis, Exclusion, LongTailSpec, PersonasSpec
from synth.recipe.base import URL, Name, Number, Spec, Whole, text_or_mapping
from synth.recipe.cleaning import CleanSpec
from synth.recipe.diversity import DiversitySpec
from synth.recipe.gates import Gate
from synth.recipe.kinds.union import Generator
from synth.recipe.mix import Mix
from synth.recipe.models import ModelSpec


class SeedsSpec(Spec):
    path: str
    """.jsonl .json .csv or .parquet; relative to the recipe."""
    fields: dict[str, str] = {}
    """Rename columns: `name synth uses: column in the file`."""
    limit: Whole | None = Field(None, ge=1)
    """Use only the first so many."""
    clean: CleanSpec | None = None
    """Clean the seeds before anything is made of them. `{}`: Unicode, HTML, invisible characters and white space."""


class BudgetSpec(Spec):
    """Hard limits: no call is sent that could pass one. Any of them ends a run cleanly, to be resumed."""

    usd: Number | None = Field(None, gt=0)
    """US dollars for all model calls."""
    tokens: Whole | None = Field(None, ge=1)
    """Input and output tokens of all model calls."""
    minutes: Number | None = Field(None, gt=0)
    """Minutes after which one invocation sends nothing more; what is on its way is waited for."""
    attempts: Number = Field(5, ge=1)
    """Attempts per accepted example, over the whole generator."""


class OutputSpec(Spec):
    formats: list[
        Literal["messages", "alpaca", "sharegpt", "llama3", "hermes", "dpo", "dpo_standard", "kto", "reward", "parquet"]
    ] = ["messages"]
    """What is written to `dataset/`: rows in full always; for every other format here a folder of its own."""
    license: str | None = None
    """Under which the dataset may be used: an SPDX identifier such as `CC-BY-4.0`, or an address. Stands in the card
    and in `croissant.json`."""
    usage: list[Annotated[str, Field(pattern=URL)]] = []
    """What the dataset may be used for, as addresses of DUO terms or of an ODRL offer; stands in `croissant.json`."""


class Recipe(Spec):
    """A synth recipe: seeds, models, and generators that make exactly `count` accepted examples each."""

    name: Name
    """Names the default run folder, `runs/<name>`."""
    seed: Whole = Field(0, ge=0, lt=2**63)
    """RNG seed: same seed and same model responses, same dataset, byte for byte."""
    models: dict[Name, ModelSpec] = Field(min_length=1)
    """At least one; the first is the default for every agent."""
    seeds: SeedsSpec | None = None
    """The small curated set to expand."""
    generate: list[Generator] = Field(min_length=1)
    """One entry per generator."""
    mix: Mix | None = None
    """Divides a total among the generators that give no `count`: `{total: 300}`."""
    axes: dict[Name, Axis] = Field({}, max_length=64)
    """Attributes that every example gets a combination of: `mood: [calm, angry]`, or a mapping with weights, a numeric
    range, or values that depend on another axis."""
    exclude: list[Exclusion] = []
    """Combinations that no example gets: `{mood: angry, channel: [email, letter]}` excludes two."""
    coverage: Whole = Field(2, ge=1, le=3)
    """The first rows of every generator cover all combinations of so many axes (2: every pair of values)."""
    long_tail: LongTailSpec = LongTailSpec()
    """Shares of examples that are written as real people also write."""
    personas: PersonasSpec | None = None
    """Who speaks: every example gets a persona. `{}` takes the 500 and more that come with synth."""
    diversity: Annotated[
        Annotated[Literal["off"], Tag("<text>")] | Annotated[DiversitySpec, Tag("<mapping>")],
        text_or_mapping("must be 'off', or a mapping such as {max_similarity: 0.9}"),
    ] = DiversitySpec(embedder="off")
    """Rejection of near-duplicates; `off` keeps everything. Unset: by wording only. `{}`: by meaning too."""
    gates: list[Gate] = []
    """Look at every finished attempt, in this order; the first that says no rejects it. A bare name means defaults."""
    budget: BudgetSpec = BudgetSpec()
    """Hard limits of a run."""
    cache: bool = False
    """Share answers between runs of edited recipes: what has been asked before is not paid for again."""
    output: OutputSpec = OutputSpec()
    """What is written for the accepted examples."""

    @property
    def compares_meanings(self) -> bool:
        """Whether examples are compared by their embeddings: a `diversity:` section asks for it."""
        return self.diversity != "off" and self.diversity.embedder != "off"

    @property
    def default_model(self) -> str:
        return next(iter(self.models))


def dump(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data in the user's own names, defaults filled in."""
    return recipe.model_dump(mode="json", by_alias=True)
