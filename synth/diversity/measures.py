"""How varied a set of texts is, by their words: self-BLEU, distinct-n, vocabulary, lengths."""

from __future__ import annotations

import bisect
import math
import re
from collections import Counter
from collections.abc import Sequence
from statistics import mean, median

from synth.diversity.words import WORD, composed
from synth.messages import Json

_TOKEN = re.compile(rf"{WORD}|[^\w\s]")
_ORDERS = (1, 2, 3, 4)

Gram = tuple[str, ...]


def tokens(text: str) -> list[str]:
    """Words and marks, as they are written."""
    return _TOKEN.findall(composed(text))


def distinct(texts: Sequence[Sequence[str]], n: int) -> float:
    """distinct-n (Li et al. 2016): the share of different ones among all n-grams of tokens; 0 where there is none."""
    grams = [gram for text in texts for gram in _grams(text, n)]
    return len(set(grams)) / len(grams) if grams else 0.0


def self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """Self-BLEU (Zhu et al. 2018), 0 to 100: the mean BLEU-4 of each text with all others as its references.

    Equal to sacrebleu's sentence BLEU (exponential smoothing, effective order) on the same tokens. It takes time
    linear in the texts: of each n-gram's counts the two largest tell what any text's references have at most.
    """
    if len(texts) < 2:
        return 0.0
    counts = [[Counter(_grams(text, n)) for n in _ORDERS] for text in texts]
    most: list[dict[Gram, tuple[int, int, int]]] = [{} for _ in _ORDERS]
    for owner, by_order in enumerate(counts):
        for order, grams in enumerate(by_order):
            table = most[order]
            for gram, count in grams.items():
                first, second, whose = table.get(gram, (0, 0, -1))
                table[gram] = (count, first, owner) if count > first else (first, max(second, count), whose)
    lengths = sorted(len(text) for text in texts)
    scores = []
    for owner, by_order in enumerate(counts):
        matched = [
            sum(min(count, _elsewhere(most[order][gram], owner)) for gram, count in grams.items())
            for order, grams in enumerate(by_order)
        ]
        scores.append(_bleu(matched, len(texts[owner]), _closest_other(lengths, len(texts[owner]))))
    return mean(scores)


def measure_words(texts: Sequence[str]) -> Json:
    """All of this module's measures of ``texts``, rounded; lengths are in tokens."""
    split = [tokens(text) for text in texts]
    lengths = sorted(len(text) for text in split)
    words = Counter(token.lower() for text in split for token in text if token[0].isalnum())
    return {
        "texts": len(texts),
        "self_bleu": round(self_bleu(split), 2) if len(texts) > 1 else None,
        "distinct_1": round(distinct(split, 1), 4),
        "distinct_2": round(distinct(split, 2), 4),
        "distinct_3": round(distinct(split, 3), 4),
        "vocabulary": len(words),
        "length": {
            "mean": round(mean(lengths), 1),
            "median": median(lengths),
            "shortest": lengths[0],
            "longest": lengths[-1],
        }
        if lengths
        else None,
    }


def _grams(text: Sequence[str], n: int) -> list[Gram]:
    return list(zip(*(text[start:] for start in range(n)), strict=False))


def _elsewhere(entry: tuple[int, int, int], owner: int) -> int:
    first, second, whose = entry
    return second if whose == owner else first


def _closest_other(lengths: list[int], length: int) -> int:
    """The length closest to ``length`` in the sorted ``lengths`` without one of its own; the shorter of two."""
    place = bisect.bisect_left(lengths, length)
    around = [lengths[near] for near in (place - 1, place + 1) if 0 <= near < len(lengths)]
    return min(around, key=lambda other: (abs(other - length), other))


def _bleu(matched: Sequence[int], length: int, reference: int) -> float:
    if not any(matched):
        return 0.0
    smooth, logs = 1.0, []
    for n, right in zip(_ORDERS, matched, strict=True):
        total = length - n + 1
        if total <= 0:
            break
        if not right:
            smooth *= 2
        logs.append(math.log(100 * right / total if right else 100 / (smooth * total)))
    brevity = 1.0 if length >= reference else math.exp(1 - reference / length)
    return brevity * math.exp(sum(logs) / len(logs))
