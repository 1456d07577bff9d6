"""What a recipe says of novelty: what examples are compared by, and how close is too close."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from synth.recipe.base import URL, Number, Spec, text_or_mapping


class EmbedderSpec(Spec):
    """An OpenAI-compatible endpoint that gives embeddings."""

    provider: Literal["openai"]
    """Who speaks so."""
    model: str
    """The embedding model's name at the endpoint."""
    base_url: str = Field("https://api.openai.com/v1", pattern=URL)
    """The endpoint, up to and including `/v1`."""
    api_key: str | None = None
    """Use `${VAR}`: keys are read from the environment and never stored."""
    price: Number | None = Field(None, ge=0)
    """USD per million tokens. Unset: looked up for known hosted models."""


class DiversitySpec(Spec):
    """When an example is too close to what is there already. With no `diversity:` section only wordings are compared;
    with one, also meanings, by the cosine of embeddings."""

    embedder: Annotated[
        Annotated[str, Tag("<text>")] | Annotated[EmbedderSpec, Tag("<mapping>")],
        text_or_mapping("must be 'minilm', a sentence-transformers name or path, 'off', or {provider: openai, …}"),
    ] = "minilm"
    """`minilm` (packaged, offline; needs the extra `diversity`), any sentence-transformers name or path,
    `{provider: openai, model: …}`, or `off` to compare wordings only."""
    max_similarity: Annotated[
        Annotated[Literal["auto"], Tag("<text>")] | Annotated[Number, Field(gt=0, le=1), Tag("<number>")],
        Discriminator(lambda value: "<text>" if isinstance(value, str) else "<number>"),
    ] = 0.9
    """Most cosine with anything this generator accepted, with any seed, and with the teacher's echo. `auto`: as close
    as the seeds are to each other."""
    teacher_echo: bool = False
    """Ask for the teacher's greedy answer to every seed first, and reject what is close to it: its mode."""
    max_overlap: Number = Field(0.7, gt=0, le=1)
    """Most Jaccard similarity of three-word shingles with anything this generator accepted, and with any seed."""

    @model_validator(mode="after")
    def _meanings_where_compared(self) -> Self:
        if self.embedder == "off" and (self.teacher_echo or self.max_similarity != 0.9):
            name = "teacher_echo" if self.teacher_echo else "max_similarity"
            raise PydanticCustomError("meanings", f"must have an embedder for {name}: 'off' compares wordings only")
        return self
