"""Recognizers that Presidio lacks, or that would ask the network: e-mail, postal address, date of birth."""

from __future__ import annotations

import tldextract
from presidio_analyzer import Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers import EmailRecognizer

_TOP_LEVEL = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
"""By the list of suffixes that comes with the package; the module's own function fetches a newer one."""

_WORD = r"(?:[A-Z0-9][\w'’.-]*)"
_CAPITAL = r"(?:[A-Z][\w'’.-]+)"
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Way"
    r"|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Crescent|Close|Gardens|Marg|Nagar|Salai|Galli|Gali|Path|Chowk|Bazaar|Colony"
    r"|Enclave|Vihar|Layout|Extension)\b\.?"
)
_UNIT = r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|\#)\.? ?[\w-]+)?"
_INDIAN_PIN = r"[1-9]\d{2} ?\d{3}\b"
_US_TAIL = rf"(?:,? {_WORD}(?: {_WORD}){{0,2}},? [A-Z]{{2}} \d{{5}}(?:-\d{{4}})?)"
_UK_TAIL = rf"(?:,? {_WORD}(?: {_WORD}){{0,2}},? [A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}}\b)"
_LOCALITY = rf"(?:,\s*{_WORD}(?: {_WORD}){{0,4}}){{0,4}}"
_ADDRESSES = [
    # 742 Evergreen Terrace, Apt 3, Springfield, IL 62704; 221B Baker Street, London NW1 6XE
    Pattern(
        "house and street",
        rf"\b\d{{1,5}}[A-Za-z]? (?:{_WORD} ){{1,4}}?{_STREET}{_UNIT}(?:{_US_TAIL}|{_UK_TAIL})?",
        0.6,
    ),
    # Flat 12B, Shanti Apartments, MG Road, Bengaluru 560001; 14/2, Gandhi Nagar, Jaipur - 302015
    Pattern(
        "Indian, by its PIN code",
        rf"\b(?:(?:Flat|House|Plot|Door|H\.?|Shop|Villa|Block)(?: No\.?)? ?[\w/-]+|\d{{1,5}}(?:[/-]\d+)?[A-Z]?),?\s+"
        rf"{_CAPITAL}(?: {_WORD}){{0,4}}{_LOCALITY},?\s*(?:[-–] ?)?{_INDIAN_PIN}",
        0.7,
    ),
    Pattern(
        "Indian, without a PIN code",
        rf"\b(?:Flat|House|Plot|Door|H\.)(?: No\.?)? ?[A-Z]?\d[\w/-]*{_LOCALITY}, {_WORD}(?: {_WORD}){{0,3}}",
        0.5,
    ),
    # Hauptstraße 12, 10115 Berlin
    Pattern(
        "German",
        r"\b[A-ZÄÖÜ][\wäöüß-]*(?:straße|strasse|str\.|weg|allee|platz|gasse) \d{1,4} ?[a-z]?"
        r"(?:, ?\d{5} [A-ZÄÖÜ][\wäöüß-]+)?",
        0.6,
    ),
    Pattern("post office box", r"\bP\.? ?O\.? Box \d+", 0.6),
]

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_HINDI_MONTH = "(?:जनवरी|फरवरी|फ़रवरी|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितंबर|सितम्बर|अक्टूबर|अक्तूबर|नवंबर|नवम्बर|दिसंबर|दिसम्बर)"
_DATE = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -](?:{_MONTH}|{_HINDI_MONTH}),?[ -]\d{{4}}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})\b"
)
_SAYS_BIRTH = (
    r"(?:born(?: on)?|birth ?(?:date|day)|date of birth|d\.?o\.?b\.?|जन्म ?-?(?:तिथि|दिन|दिनांक|तारीख)?)"
    r"(?: (?:is|was|has been|on|as|on file|given as|listed as|है|की)){0,2}[\s:=(\"'-]{1,4}"
)


class OfflineEmail(EmailRecognizer):  # type: ignore[misc]
    """Presidio's, without a look at the network."""

    def validate_result(self, pattern_text: str) -> bool:
        return bool(_TOP_LEVEL(pattern_text).fqdn)


def address() -> PatternRecognizer:
    """Postal addresses as they are written in the US, the UK, India and Germany; a town alone is none."""
    return PatternRecognizer("STREET_ADDRESS", name="address", patterns=_ADDRESSES, global_regex_flags=0)


def birth_date() -> PatternRecognizer:
    """Dates that the words before them, or after them, say are somebody's birthday; other dates are nobody's."""
    patterns = [
        Pattern("after", rf"(?i)(?<=\b{_SAYS_BIRTH}){_DATE}", 0.85),
        Pattern("before", rf"(?i){_DATE}(?=,? (?:is|was) (?:my|his|her|their|the) (?:birthday|date of birth))", 0.85),
        Pattern("before, in Hindi", rf"{_DATE}(?= (?:को|में) (?:पैदा|जन्म))", 0.85),
    ]
    return PatternRecognizer("BIRTH_DATE", name="birth date", patterns=patterns, global_regex_flags=0)
