"""Tokens of a text without its tokenizer: a likely number, and one that no tokenizer passes."""

from __future__ import annotations

_BYTES_PER_TOKEN = 3.6  # English prose and code with the vocabularies of 2024 and later: 3.5 to 4.5


def estimate_tokens(text: str) -> int:
    """The likely number of tokens of ``text``."""
    return round(len(text.encode("utf-8", "surrogatepass")) / _BYTES_PER_TOKEN)


def most_tokens(body: bytes) -> int:
    """An upper bound for a request's input tokens: byte-level vocabularies make at most one token of each byte.

    The body's JSON syntax stands for what a chat template adds around messages.
    """
    return len(body)
