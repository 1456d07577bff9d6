"""What a recipe says of cleaning: what is removed from texts, and which rows are dropped."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from synth.recipe.base import Number, Spec, Whole, check_range

PiiKind = Literal[
    "person",
    "email",
    "phone",
    "credit_card",
    "iban",
    "ip",
    "us_ssn",
    "aadhaar",
    "pan",
    "passport",
    "address",
    "birth_date",
]
"""``aadhaar`` and ``pan`` are India's numbers of residents and taxpayers; passports are those of the US and India."""

PII_KINDS: list[PiiKind] = list(get_args(PiiKind))
LANGUAGE = r"^[a-z]{2}$"
LanguageCode = Annotated[str, Field(pattern=LANGUAGE)]
CleanStep = Literal["unicode", "markup", "invisible", "space"]


class PiiOptions(Spec):
    """Which personal data is looked for, and what is done about it. Needs the extra `pii`."""

    action: Literal["reject", "redact", "replace"] = "reject"
    """`redact` writes `<EMAIL>` in its place; `replace` a stand-in: the same for the same value, and nobody's."""
    kinds: list[PiiKind] = Field(PII_KINDS, min_length=1)
    """What is looked for. Leave out `person` where people are made up, as in stories."""
    min_score: Number = Field(0.4, ge=0, le=1)
    """How sure the finder must be. 0.4: a number that only the words around it make likely."""
    seed: Whole = Field(0, ge=0)
    """Decides the stand-ins: the same in every run with the same seed."""


class DecontaminateOptions(Spec):
    """What is compared with the benchmarks that the trained model will be measured by."""

    files: list[str] = Field(min_length=1)
    """Benchmark files (.jsonl .json .csv .parquet .txt, also .gz), relative to the recipe."""
    fields: list[str] = []
    """Columns of those files to compare with. Unset: all that hold text."""
    ngram: Whole = Field(13, ge=3, le=50)
    """Words in a row that must not come from a benchmark. Shorter benchmark texts count as a whole."""
    max_share: Number = Field(0, ge=0, lt=1)
    """Share of a text's n-grams that may be found in a benchmark; 0: not one."""
    max_similarity: Number | None = Field(None, gt=0, le=1)
    """Compare meanings too: highest cosine with a benchmark text, as a whole. 0.85 finds reworded items. Needs the
    extra `diversity`."""


class LicenseOptions(Spec):
    """Which licences the seeds may have."""

    allow: list[str] = Field(min_length=1)
    """Names as your data has them, such as SPDX's (`apache-2.0`, `cc-by-4.0`), in any case."""
    field: str = "license"
    """The column that names a row's licence. A row without one is not allowed."""


class CleanSpec(Spec):
    """Cleans every text of every row, in this order, and says what each step changed and dropped. Needs the extra
    `clean`."""

    skip: list[CleanStep] = []
    """Steps to leave out: Unicode repair, HTML, invisible characters, white space."""
    fields: list[str] = []
    """Columns to clean. Unset: all that hold text."""
    license: LicenseOptions | None = None
    """Drop rows of other licences."""
    min_words: Whole | None = Field(None, ge=1)
    """Drop rows with a text of fewer words; name its `fields`."""
    max_words: Whole | None = Field(None, ge=1)
    """Drop rows with a text of more words; name its `fields`."""
    languages: list[LanguageCode] = []
    """Keep only these languages (ISO 639-1)."""
    quality: bool = False
    """Drop texts that hardly are any: symbols instead of words, the same line again and again, lists of keywords."""
    toxicity: Number | None = Field(None, gt=0, le=1)
    """Drop rows that insult or threaten, from this probability; 0.9 is usual. English. Needs the extra `toxicity`."""
    pii: PiiOptions | None = None
    """Personal data: `action: reject` drops the row."""
    decontaminate: DecontaminateOptions | None = None
    """Drop what a benchmark has too."""
    messages: bool = False
    """Make every row a chat: `messages` out of ShareGPT, Alpaca, pairs of question and answer, or a log of
    `role: text`. Drop what is none."""
    dedup: Number | None = Field(None, gt=0, le=1)
    """Drop near-duplicates from this Jaccard similarity of three-word shingles; 0.7 is usual."""

    @model_validator(mode="after")
    def _least_below_most(self) -> Self:
        check_range("words", self.min_words, self.max_words)
        return self
