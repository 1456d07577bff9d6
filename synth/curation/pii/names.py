"""Names of persons that a small English model misses: by lists of given names and surnames, and by the words around.

A name that is in no list, stands after no title and looks to the model like a firm or a town is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import SpacyRecognizer
from spacy.lang.hi.stop_words import STOP_WORDS

from synth.curation.pii.name_lists import WORDS, name_lists

_LATIN = r"[A-Z][a-zà-ÿ]+(?:[-'’][A-Z]?[a-zà-ÿ]+)*"
_NAME = rf"{_LATIN}(?: (?:[A-Z]\.|{_LATIN})){{0,3}}"
_RUN = re.compile(rf"\b{_LATIN}(?: (?:[A-Z]\.?|{_LATIN}))*(?![\w])")
_TITLED = re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Shri|Sri|Smt|Kumari)\.? ({_NAME})")
_INTRODUCED = re.compile(
    r"\b(?:[Mm]y name is|[Nn]ame(?: on file)?:|[Tt]his is|I am|I['’]m|[Ss]igned,?|[Rr]egards,|[Ss]incerely,|[Cc]heers,"
    r"|(?:[Ss]igned|[Ww]ritten|[Ss]ent|[Rr]eported|[Pp]repared) by"
    r"|[Aa]ttn:?|[Aa]ccount holder:?|[Cc]ustomer(?: name)?:|[Pp]atient:?)\s+"
    rf"({_LATIN}(?: (?:[A-Z]\.|{_LATIN})){{1,3}})"
)
_NAMED = re.compile(rf"\b(?:[Mm]y name is|[Cc]all me|मेरा नाम) ({_LATIN})")
_DEVANAGARI = r"[\u0900-\u0963\u0970-\u097f]+"
_HINDI_RUN = re.compile(rf"{_DEVANAGARI}(?: {_DEVANAGARI})+")
_HINDI_TITLED = re.compile(rf"(?:श्रीमती|श्री|डॉ\.?|सुश्री|कुमारी) ({_DEVANAGARI} {_DEVANAGARI})")
_HINDI_NAMED = re.compile(rf"(?:मेरा|मेरी|उसका|उनका|इनका) नाम ({_DEVANAGARI}(?: {_DEVANAGARI}){{0,2}}?) है")

_TRAILING = re.compile(r"(?:['’]s)?[\s.,;:!?()\"'’-]*$")
_NO_NAME = re.compile(r"[\d@#<>{}=_\\/\u0900-\u097f]|^[^A-Z]*$|^[\W_]*$")
_NO_NAMES = frozenset(
    "aadhaar aadhar pan iban ssn visa mastercard passport dob ip email phone invoice order tel date fax dear hi hello "
    "hey thanks regards address".split()
)
_BEFORE = frozenset(
    "The And Dear Hi Hello Hey Mr Mrs Ms Miss Dr Prof Shri Sri Smt Sir For From To Ask Tell Call Please".split()
)
"""What a surname may follow without being part of the name."""
_PLACES = frozenset(
    "Street St Road Rd Avenue Ave Lane Drive Square Park Bridge Station Airport Beach River Lake County City "
    "Island Bay Hill Hills House Hotel Hospital University College School Museum Church Inc Ltd Corp Bank Day "
    "Prize Award".split()
)
"""What a given name may stand before in the name of something else."""


class ModelNames(SpacyRecognizer):  # type: ignore[misc]
    """Persons as spaCy's model sees them, less what cannot be a name, and single words that no list has: it takes
    "JSON" for somebody."""

    def __init__(self) -> None:
        self._lists = name_lists()
        super().__init__(supported_entities=["PERSON"])

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        kept = []
        for result in super().analyze(text, entities, nlp_artifacts):
            value = _TRAILING.sub("", text[result.start : result.end].split("\n")[0])
            result.end = result.start + len(value)
            if not value or _NO_NAME.search(value) or not _NO_NAMES.isdisjoint(value.lower().split()):
                continue
            if " " in value or value in self._lists.known:
                kept.append(result)
        return kept


class ListedNames(EntityRecognizer):  # type: ignore[misc]
    """A given name with a surname, an Indian given name, or what stands after a title or an introduction."""

    def __init__(self) -> None:
        self._lists = name_lists()
        super().__init__(supported_entities=["PERSON"], name="listed names", supported_language="en")

    def load(self) -> None:
        """Nothing to load: the lists are there."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        return [RecognizerResult("PERSON", start, end, score) for start, end, score in self._spans(text)]

    def _spans(self, text: str) -> Iterator[tuple[int, int, float]]:
        for match in _RUN.finditer(text):
            yield from self._in_run(match)
        for pattern, score in (
            (_TITLED, 0.9),
            (_INTRODUCED, 0.6),
            (_NAMED, 0.85),
            (_HINDI_TITLED, 0.9),
            (_HINDI_NAMED, 0.9),
        ):
            yield from ((*match.span(1), score) for match in pattern.finditer(text))
        for match in _HINDI_RUN.finditer(text):
            words = _words(match)
            for (first, start, _), (second, _, end) in pairwise(words):
                if second in self._lists.hindi_surnames and first not in STOP_WORDS:
                    yield start, end, 0.85 if first in self._lists.hindi else 0.5
                elif first in self._lists.hindi and second not in STOP_WORDS:
                    yield start, end, 0.5

    def _in_run(self, match: re.Match[str]) -> Iterator[tuple[int, int, float]]:
        """Names in words with capital letters, one beside the other."""
        words, lists, taken = _words(match), self._lists, 0
        for place, (word, start, end) in enumerate(words):
            if place < taken:
                continue
            rest = words[place + 1 : place + 4]
            last = next((n for n, (other, _, _) in reversed(list(enumerate(rest, 1))) if other in lists.surnames), 0)
            if (
                (word in lists.given or word in lists.indian_surnames)
                and last
                and not {word, rest[last - 1][0]} <= WORDS
            ):
                taken = place + last + 1
                yield start, rest[last - 1][2], 0.85
            elif word in lists.indian:
                follows = rest[:1] and rest[0][0] not in WORDS
                taken = place + (2 if follows else 1)
                yield start, rest[0][2] if follows else end, 0.6
            elif word in lists.indian_surnames:
                first = place
                while first > max(taken, place - 2) and words[first - 1][0].rstrip(".") not in _BEFORE:
                    first -= 1
                yield words[first][1], end, 0.5
            elif rest and word not in WORDS and rest[0][0] not in _PLACES and self._is_given(word, rest[0][0]):
                taken = place + 2
                yield start, rest[0][2], 0.5

    def _is_given(self, word: str, follows: str) -> bool:
        """Whether a word is a given name: surely, or by the longer list and what follows it."""
        return word in self._lists.given or (word in self._lists.known and follows not in WORDS | _BEFORE)


def _words(match: re.Match[str]) -> list[tuple[str, int, int]]:
    begin = match.start()
    return [(one.group(), begin + one.start(), begin + one.end()) for one in re.finditer(r"\S+", match.group())]
