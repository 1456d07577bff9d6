"""Nothing from the benchmarks that the trained model will be measured by: n-gram overlap (Brown et al. 2020, C)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from synth.curation.reading import read_rows
from synth.errors import UsageError
from synth.example import Draft, Verdict
from synth.recipe.gates import DecontaminateSpec

_WORD = re.compile(r"\w+")
_FEWEST_WORDS = 5
"""A benchmark text shorter than this (an answer, a label) is found anywhere and says nothing."""


class Decontaminate:
    """Score: the share of an example's n-grams that a benchmark has. All messages are looked at, each on its own.

    A benchmark text of fewer words than an n-gram counts as a whole, from five words. Case and punctuation do not
    count. Hashes stand for n-grams (64 bits: a false hit is less likely than 1 in 10¹⁰ for 10⁶ of them and 10³ asked).
    """

    def __init__(self, spec: DecontaminateSpec, base: Path) -> None:
        self.name = spec.id
        self._spec = spec
        self._sources: dict[int, tuple[str, int]] = {}
        """Hash of an n-gram to the file and the line where it stands first."""
        self._lengths: set[int] = set()
        for name in spec.files:
            self._read(base / name, name)

    def judge(self, draft: Draft) -> Verdict:
        spec, asked, found = self._spec, 0, 0
        first: tuple[str, tuple[str, int]] | None = None
        for message in draft.messages:
            words = _WORD.findall((message.content or "").lower())
            for length in sorted(self._lengths):
                for ngram in _ngrams(words, length):
                    asked += length == spec.ngram
                    source = self._sources.get(hash(ngram))
                    if source is not None:
                        found += 1
                        first = first or (" ".join(ngram), source)
        share = found / max(asked, found, 1)
        if first is not None and share > spec.max_share:
            words_found, (file, line) = first
            reason = f"{file}:{line} has {_short(words_found)!r} too ({found} of {max(asked, found)} sequences)"
            return Verdict(self.name, False, reason, round(share, 4))
        return Verdict(self.name, True, score=round(share, 4))

    def _read(self, path: Path, name: str) -> None:
        spec, texts, faults = self._spec, 0, list[str]()
        for row in read_rows(path, lambda line, fault: faults.append(f"{name}:{line}: {fault}")):
            for text in _texts(row.data, spec.fields):
                texts += 1
                words = _WORD.findall(text.lower())
                length = min(len(words), spec.ngram)
                if length < _FEWEST_WORDS and length < spec.ngram:
                    continue
                self._lengths.add(length)
                for ngram in _ngrams(words, length):
                    self._sources.setdefault(hash(ngram), (name, row.line))
        if faults:
            raise UsageError(
                f"the benchmark file {faults[0]}" + (f", and {len(faults) - 1} more" if len(faults) > 1 else ""),
                hint="mend it: what cannot be read cannot be kept out",
            )
        if not texts:
            fields = f" in the fields {', '.join(spec.fields)}" if spec.fields else ""
            raise UsageError(
                f"the benchmark file {path} holds no text{fields}", hint="see gates.files and gates.fields"
            )


def _ngrams(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def _texts(data: object, fields: Sequence[str]) -> Iterator[str]:
    """Every text in a row, also in lists and mappings within it."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            if not fields or key in fields:
                yield from _texts(value, ())
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value, ())


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
