"""A model's own tokenizer, where the model lies here as a folder and its tokenizer can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from synth.models.tokens import estimate_tokens
from synth.recipe.models import ModelSpec

CountText = Callable[[str], int]


def find_counter(spec: ModelSpec, base: Path) -> CountText:
    """What counts the tokens of a text for a model of a recipe in ``base``.

    Exact where ``model`` is a folder with a ``tokenizer.json`` and the package ``tokenizers`` is there, which comes
    with transformers and with vLLM; else the likely number by the text's length. Nothing is fetched.
    """
    path = base / Path(spec.model).expanduser() / "tokenizer.json" if spec.model else None
    if path is None or not path.is_file():
        return estimate_tokens
    try:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(path))
    except Exception:  # noqa: BLE001 - it raises plain Exception for a file that it cannot read; an estimate will do
        return estimate_tokens

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False))

    return count
