"""What benchmark files hold, and whether a text has it too: by n-grams (Brown et al. 2020, C) and by meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synth.curation.reading import read_rows
from synth.diversity.words import UNSPACED, WORD, composed
from synth.errors import UsageError
from synth.recipe.cleaning import DecontaminateOptions

if TYPE_CHECKING:
    from synth.diversity.vectors import Vectors

_WORD = re.compile(WORD)
_FEWEST_WORDS = 5
"""A benchmark text shorter than this (an answer, a label) is found anywhere and says nothing. Of a script without
spaces two characters count as a word here."""
_UNSPACED = re.compile(f"[{UNSPACED}]")


@dataclass(frozen=True, slots=True)
class Contamination:
    """``share`` of n-grams that a benchmark has, ``similarity`` to its nearest text (0 where meanings are not
    compared), and ``reason``, empty where the texts may stay."""

    share: float
    similarity: float
    reason: str = ""


class Benchmarks:
    """The n-grams of all texts of the files, and their vectors where meanings are compared.

    A benchmark text of fewer words than an n-gram counts as a whole, from five words. Case and punctuation do not
    count; in scripts without spaces between words each character is one, and ten are enough for a text. Hashes stand
    for n-grams (64 bits: a false hit is less likely than 1 in 10¹⁰ for 10⁶ of them and 10³ asked).
    Meanings are compared text by text: an item that is quoted within a much longer text is found by its words alone.
    Raises ``UsageError`` for a file that cannot be read in full, or holds no text.
    """

    def __init__(self, options: DecontaminateOptions, base: Path) -> None:
        self._options = options
        self._sources: dict[int, tuple[str, int]] = {}
        """Hash of an n-gram to the file and the line where it stands first."""
        self._lengths: set[int] = set()
        texts: dict[str, tuple[str, int]] = {}
        for name in options.files:
            self._read(base / name, name, texts)
        self._meanings = _Meanings(texts, base) if options.max_similarity is not None else None

    def compare(self, texts: Sequence[str]) -> Contamination:
        """Each text on its own; the share is of all their n-grams together."""
        options, asked, found = self._options, 0, 0
        first: tuple[str, tuple[str, int]] | None = None
        for text in texts:
            words = _WORD.findall(composed(text).lower())
            for length in sorted(self._lengths):
                for ngram in _ngrams(words, length):
                    asked += length == options.ngram
                    source = self._sources.get(hash(ngram))
                    if source is not None:
                        found += 1
                        first = first or (" ".join(ngram), source)
        share = round(found / max(asked, found, 1), 4)
        if first is not None and share > options.max_share:
            words_found, (file, line) = first
            reason = f"{file}:{line} has {_short(words_found)!r} too ({found} of {max(asked, found)} sequences)"
            return Contamination(share, 0, reason)
        if self._meanings is None or options.max_similarity is None:
            return Contamination(share, 0)
        similarity, text, (file, line) = self._meanings.nearest(texts)
        reason = f"it means what {file}:{line} does ({similarity:.2f}): {_short(text)!r}"
        return Contamination(share, similarity, reason if similarity > options.max_similarity else "")

    def _read(self, path: Path, name: str, known: dict[str, tuple[str, int]]) -> None:
        options, texts, faults = self._options, 0, list[str]()
        for row in read_rows(path, lambda line, fault: faults.append(f"{name}:{line}: {fault}")):
            for text in _texts(row.data, options.fields):
                texts += 1
                words = _WORD.findall(composed(text).lower())
                length = min(len(words), options.ngram)
                if length < options.ngram and not _says_something(words):
                    continue
                known.setdefault(text, (name, row.line))
                self._lengths.add(length)
                for ngram in _ngrams(words, length):
                    self._sources.setdefault(hash(ngram), (name, row.line))
        if faults:
            raise UsageError(
                f"the benchmark file {faults[0]}" + (f", and {len(faults) - 1} more" if len(faults) > 1 else ""),
                hint="mend it: what cannot be read cannot be kept out",
            )
        if not texts:
            fields = f" in the fields {', '.join(options.fields)}" if options.fields else ""
            raise UsageError(
                f"the benchmark file {path} holds no text{fields}", hint="see `files` and `fields` of decontaminate"
            )


class _Meanings:
    """All texts of the benchmarks as vectors of MiniLM: some 100 texts a second on a core are made into such."""

    def __init__(self, texts: dict[str, tuple[str, int]], base: Path) -> None:
        from synth.diversity.embedders import open_sentence_embedder

        self._embedder = open_sentence_embedder("minilm", base)
        self._texts = list(texts.items())
        self._vectors: Vectors | None = None

    def nearest(self, texts: Sequence[str]) -> tuple[float, str, tuple[str, int]]:
        """The highest cosine of any text with any of the benchmarks', and which that is and where it stands."""
        asked = [text for text in texts if _says_something(_WORD.findall(composed(text)))]
        if not asked or not self._texts:
            return 0, "", ("", 0)
        if self._vectors is None:
            self._vectors = self._embedder.encode([text for text, _ in self._texts])
        similar = self._embedder.encode(asked) @ self._vectors.T
        best = int(similar.argmax())
        text, place = self._texts[best % len(self._texts)]
        return round(float(similar.flat[best]), 4), text, place


def _says_something(words: Sequence[str]) -> bool:
    return sum(0.5 if _UNSPACED.match(word) else 1 for word in words) >= _FEWEST_WORDS


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
