"""What a call costs: the recipe's own price, else the list price of a known hosted model."""

from __future__ import annotations

from dataclasses import dataclass

from synth.messages import Usage
from synth.recipe.models import ModelSpec

_SAMPLE_TOKENS = 1000  # small enough for the first step of prices that rise with the length of the prompt


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float

    def cost(self, usage: Usage) -> float:
        """USD for ``usage``."""
        return (usage.input * self.input + usage.output * self.output) / 1e6


FREE = Price(0.0, 0.0)


def find_price(spec: ModelSpec, url: str | None) -> Price | None:
    """The price of a model of the recipe at ``url``; None where nobody has said and no list has it.

    Models that run here cost nothing. List prices come from the snapshot inside ``genai-prices``; nothing is fetched.
    """
    if spec.price is not None:
        return Price(spec.price.input, spec.price.output)
    if spec.provider != "openai":
        return FREE
    return _list_price(spec.model or "", url)


def _list_price(model: str, url: str | None) -> Price | None:
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    usage = PricedUsage(input_tokens=_SAMPLE_TOKENS, output_tokens=_SAMPLE_TOKENS)
    # A gateway's address is in no list, but the models behind it keep their names.
    for address in (url, None) if url else (None,):
        try:
            price = calc_price(usage, model, provider_api_url=address)
        except LookupError:
            continue
        scale = 1e6 / _SAMPLE_TOKENS
        return Price(float(price.input_price) * scale, float(price.output_price) * scale)
    return None
