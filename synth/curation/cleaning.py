"""Steps that make text clean: each changes a text, or says why its row is dropped."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from synth.curation.languages import detector
from synth.errors import SynthError, UsageError

Step = Callable[[str], str]
"""Takes a text and gives the clean one. Raises ``Dropped``."""

_INVISIBLE = re.compile(
    r"[\u00ad\u180e\u200b\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?>|<!--|<!DOCTYPE", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,6});")
_BLOCKS = "p, div, li, tr, h1, h2, h3, h4, h5, h6, section, article, blockquote, pre, table, ul, ol"


class Dropped(SynthError):
    """A text that no step can mend; the message says why, the same for all of one sort."""


def unicode_step() -> Step:
    """Mends what was decoded wrongly (ftfy), and composes letters (NFC)."""
    try:
        import ftfy
    except ImportError as error:
        raise UsageError("mending Unicode needs ftfy", hint="pip install 'synth[clean]'") from error
    config = ftfy.TextFixerConfig(unescape_html=False, uncurl_quotes=False, normalization="NFC")
    return lambda text: ftfy.fix_text(text, config)


def markup_step() -> Step:
    """Text instead of HTML: scripts, styles, comments and tags go, blocks become lines, entities become characters."""
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError as error:
        raise UsageError("removing HTML needs selectolax", hint="pip install 'synth[clean]'") from error

    def clean(text: str) -> str:
        if not _TAG.search(text):
            return html.unescape(text) if _ENTITY.search(text) else text
        tree = LexborHTMLParser(text)
        tree.strip_tags(["script", "style", "noscript", "template", "iframe", "svg"])
        for line_break in tree.css("br"):
            line_break.replace_with("\n")
        for block in tree.css(_BLOCKS):
            block.insert_before("\n")
            block.insert_after("\n")
        return tree.body.text(deep=True) if tree.body is not None else ""

    return clean


def invisible_step() -> Step:
    """Removes control characters, zero-width spaces and marks that turn the direction of writing.

    Joiners stay: scripts and emoji need them.
    """
    return lambda text: _INVISIBLE.sub("", text)


def space_step() -> Step:
    """One space between words, no space at the ends of lines, one empty line at most; tabs that indent stay."""

    def clean(text: str) -> str:
        text = re.sub(r"\r\n?|\u2028|\u2029|\x85", "\n", text)
        text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text) if not text.isascii() else text
        lines = (re.sub(r"(?<=\S)[ \t]+", " ", line.rstrip()) for line in text.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    return clean


def length_step(least: int, most: int | None) -> Step:
    """Drops texts of fewer or more words."""

    def check(text: str) -> str:
        words = len(text.split())
        if words < least:
            raise Dropped(f"fewer than {least} words")
        if most is not None and words > most:
            raise Dropped(f"more than {most} words")
        return text

    return check


def language_step(languages: list[str]) -> Step:
    """Drops texts in other languages, where the detector is sure; five words and more tell."""
    detect = detector("--language", languages)

    def check(text: str) -> str:
        if len(text.split()) < 5:
            return text
        language, confidence = detect(text)
        if language not in languages and confidence >= 0.5:
            raise Dropped(f"in the language {language!r}")
        return text

    return check
