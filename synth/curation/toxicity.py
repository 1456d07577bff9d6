"""How likely a text insults, threatens or swears, by alt-profanity-check: a linear model over words, English only.

It is small and runs anywhere, and it is no judge of meaning. On sentences of our own it found insults, threats and
obscenities, also disguised ("sh1t"); it missed hatred in polite words ("women belong in the kitchen" 0.08) and other
languages, and called harmless ones offensive ("I hate Mondays" 0.91, "the ass pulls the cart" 1.00). Where that
matters, ask a judge as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from synth.errors import UsageError

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


class Toxicity:
    """Raises ``UsageError`` without the extra ``toxicity``."""

    def __init__(self) -> None:
        try:
            from profanity_check import predict_prob
        except ImportError as error:
            raise UsageError(
                "the toxicity check needs alt-profanity-check", hint="pip install 'synth[toxicity]'"
            ) from error
        self._predict = predict_prob

    def worst(self, texts: Sequence[str]) -> tuple[float, str]:
        """The highest probability of any sentence, 0 to 1, and the sentence: an insult is not diluted by what is
        around it."""
        sentences = [one for text in texts for one in _SENTENCE_END.split(text) if one.strip()]
        if not sentences:
            return 0, ""
        probabilities = self._predict(sentences)
        worst = int(probabilities.argmax())
        return round(float(probabilities[worst]), 4), sentences[worst]
