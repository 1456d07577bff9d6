"""What makes one text clean: each function changes a text, or says why its row is dropped."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from html.entities import html5

from synth.curation.languages import detector
from synth.curation.repetition import repeated_share
from synth.errors import SynthError, UsageError

Clean = Callable[[str], str]
"""Takes a text and gives the clean one. Raises ``Dropped``."""

_INVISIBLE = re.compile(
    r"[\u00ad\u180e\u200b\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_HIDDEN_ELEMENTS = "iframe|noscript|script|style|svg|template"
_ELEMENTS = (
    "a abbr address article aside audio b big blockquote body br button canvas caption center cite code col "
    "colgroup dd del details dfn div dl dt em embed fieldset figcaption figure font footer form frame h1 h2 h3 "
    "h4 h5 h6 head header hr html i img input ins kbd label legend li link main map mark meta nav "
    "object ol optgroup option p param picture pre q s samp section select small source span "
    "strike strong sub summary sup table tbody td textarea tfoot th thead time tr "
    "track tt u ul var video wbr "
)
_FLAGS = (
    "allowfullscreen alt async autofocus autoplay border checked compact contenteditable controls crossorigin default "
    "defer disabled download draggable hidden inert ismap itemscope loop multiple muted noresize noshade novalidate "
    "nowrap open playsinline readonly required reversed sandbox scoped selected"
)
"""Attributes that need no value; with others, a ``<`` and a ``>`` stand around words that are no tag."""
_VALUE = r"""(?:\s*=\s*(?:"[^"]*"|'[^']*')|=[^\s"'<>=][^\s"'<>]*)"""
_ATTRIBUTE = rf"""[^\s"'<>/=]++{_VALUE}|(?:{"|".join(_FLAGS.split())}|\w++[-:][\w.:-]*+)(?=[\s/>])"""
_ATTRIBUTES = rf"""(?:(?:[\s/]+|(?<=["']))(?:{_ATTRIBUTE}))*+[\s/]*+>"""
_KNOWN = (
    rf"(?:{'|'.join(_ELEMENTS.split())})(?:(?=[\s/>]){_ATTRIBUTES})|/(?:{'|'.join(_ELEMENTS.split())}|title)\s*>"
    rf"|title{_ATTRIBUTES}(?=[^<]*+</title\s*>)|!DOCTYPE\s[^<>]*>"
)
_TAG = re.compile(rf"<(?:{_KNOWN})", re.IGNORECASE)
_OTHER_LESS_THAN = re.compile(rf"<(?!{_KNOWN})", re.IGNORECASE)
_HIDDEN = re.compile(
    rf"<({_HIDDEN_ELEMENTS})(?=[\s/>]){_ATTRIBUTES}[^<]*+(?:<(?!/?\1[\s/>])[^<]*+)*+</\1\s*>", re.IGNORECASE
)
"""An element of which nothing is to be read, up to its end; the innermost of those within each other."""
_MOST_HIDDEN = 5
"""Of those within each other that are looked for."""
_COMMENT = re.compile("<!--.*?-->", re.DOTALL)
_AMPERSAND = re.compile(r"&(?:#\d{1,7};|#x[0-9a-f]{1,6};|([a-z][a-z0-9]{1,31};))?", re.IGNORECASE)
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
_MAY_BE_BROKEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\u2028\u2029\u206a-\u206f\ud800-\udfff"
    "\ufb00-\ufb06\ufeff\ufff9-\ufffd]"
    "|[\xa0-\u05ff\u2010-\u25ff\uf8ff]{2}|[ÂÃÅÎÐÙ] "
)
"""What ftfy changes has one of these; letters that were taken for others come two and more in a row."""
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_WIDER = 0xFEE0
"""How far wide letters and digits are from those of ASCII."""
_CLOSES_ITSELF = re.compile(r"<(?:br|dd|dt|hr|img|input|li|link|meta|option|p|td|th|tr|wbr|!)", re.IGNORECASE)
_URL = r"\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)"
_IMAGE = re.compile(rf"!\[([^\[\]\n]*)\]{_URL}")
_EMPTY_LINK = re.compile(rf"(?<!!)\[[\s¶#🔗]*\]{_URL}")
_MOST_NESTED = 2000
"""Elements in each other, beyond which a parser's time grows with the square; no page has as many."""
_BLOCKS = "p, div, li, tr, h1, h2, h3, h4, h5, h6, section, article, blockquote, pre, table, ul, ol"
_WIDE_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_END = re.compile("\r\n?|\u2028|\u2029|\x85")
_GAP = re.compile(r"(?<=\S)[ \t]+")
_EMPTY_LINES = re.compile(r"\n{3,}")

_FEWEST_WORDS = 10


class Dropped(SynthError):
    """A text that no step can mend; the message says why, the same for all of one sort, ``detail`` what is special."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


def unicode_cleaner() -> Clean:
    """Mends what was decoded wrongly and ligatures (ftfy), composes letters (NFC), makes wide Latin letters and digits
    narrow; the wide punctuation of Chinese and Japanese stays."""
    try:
        import ftfy
    except ImportError as error:
        raise UsageError("mending Unicode needs ftfy", hint="pip install 'synth[clean]'") from error
    config = ftfy.TextFixerConfig(
        unescape_html=False, uncurl_quotes=False, fix_character_width=False, normalization="NFC"
    )

    def clean(text: str) -> str:
        if text.isascii():
            # Line ends and control characters, which is all that ftfy would change here, are for other steps.
            return text if "\x1b" not in text else ftfy.fix_text(text, config)
        broken = _MAY_BE_BROKEN.search(text)
        text = ftfy.fix_text(text, config) if broken else unicodedata.normalize("NFC", text)
        return _WIDE.sub(lambda wide: chr(ord(wide[0]) - _WIDER), text)

    return clean


def markup_cleaner() -> Clean:
    """Text instead of HTML: scripts, styles, comments and tags go, blocks become lines, entities become characters.

    Of Markdown, images become their descriptions and links without a text go; the rest is how texts are written today.
    Code in Markdown's fences and backquotes stays as it is, and so does what stands in angle brackets and is no HTML, a
    script, style, comment or the like that has no end, and an entity without its semicolon.
    """
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError as error:
        raise UsageError("removing HTML needs selectolax", hint="pip install 'synth[clean]'") from error

    def strip(text: str) -> str:
        if "](" in text:
            text = _EMPTY_LINK.sub("", _IMAGE.sub(r"\1", text))
        if "</" in text or "-->" in text:
            text = _without_hidden(text)
        if "<" not in text or not _TAG.search(text):
            return _AMPERSAND.sub(_unescaped, text) if "&" in text else text
        if text.count("<") > _MOST_NESTED and _depth(text) > _MOST_NESTED:
            return _AMPERSAND.sub(_unescaped, _TAG.sub(" ", text))
        tree = LexborHTMLParser(_OTHER_LESS_THAN.sub("&lt;", _AMPERSAND.sub(_escaped, text)))
        for line_break in tree.css("br"):
            line_break.replace_with("\n")
        for block in tree.css(_BLOCKS):
            block.insert_before("\n")
            block.insert_after("\n")
        return tree.body.text(deep=True) if tree.body is not None else ""

    def clean(text: str) -> str:
        if "`" not in text:
            return strip(text)
        return "".join(part if place % 2 else strip(part) for place, part in enumerate(_CODE.split(text)))

    return clean


def _without_hidden(text: str) -> str:
    end = text.rfind("-->") + 3
    text = _COMMENT.sub("", text[:end]) + text[end:] if end > 2 else text
    for _ in range(_MOST_HIDDEN):
        text, found = _HIDDEN.subn("", text)
        if not found:
            break
    return text


def _is_entity(found: re.Match[str]) -> bool:
    return found[1] in html5 if found[1] else len(found[0]) > 1


def _unescaped(found: re.Match[str]) -> str:
    return html.unescape(found[0]) if _is_entity(found) else found[0]


def _escaped(found: re.Match[str]) -> str:
    """An entity as it is; another ampersand so that no parser takes it for the begin of one."""
    return found[0] if _is_entity(found) else f"&amp;{found[0][1:]}"


def _depth(text: str) -> int:
    """Most elements that are open at once."""
    deepest = open_now = 0
    for match in _TAG.finditer(text):
        tag = match.group()
        if tag.startswith("</"):
            open_now = max(0, open_now - 1)
        elif not tag.endswith("/>") and not _CLOSES_ITSELF.match(tag):
            open_now += 1
            deepest = max(deepest, open_now)
    return deepest


def invisible_cleaner() -> Clean:
    """Removes control characters, zero-width spaces and marks that turn the direction of writing.

    Joiners stay: scripts and emoji need them.
    """
    return lambda text: text if text.replace("\n", "").isprintable() else _INVISIBLE.sub("", text)


def space_cleaner() -> Clean:
    """One space between words, no space at the ends of lines, one empty line at most; tabs that indent stay."""

    def clean(text: str) -> str:
        if not text.isprintable():
            text = _LINE_END.sub("\n", text)
        if not text.isascii():
            text = _WIDE_SPACE.sub(" ", text)
        if "  " in text or "\t" in text:
            text = _GAP.sub(" ", text)
        if "\n" in text:
            text = "\n".join([line.rstrip() for line in text.split("\n")])
            text = _EMPTY_LINES.sub("\n\n", text)
        return text.strip()

    return clean


def length_cleaner(least: int, most: int | None) -> Clean:
    """Drops texts of fewer or more words."""

    def check(text: str) -> str:
        words = len(text.split())
        if words < least:
            raise Dropped(f"fewer than {least} words")
        if most is not None and words > most:
            raise Dropped(f"more than {most} words")
        return text

    return check


def language_cleaner(languages: list[str]) -> Clean:
    """Drops texts in other languages, where the detector is sure; five words and more tell."""
    detect = detector("the language filter", languages)

    def check(text: str) -> str:
        if len(text.split()) < 5:
            return text
        language, confidence = detect(text)
        if language not in languages and confidence >= 0.5:
            raise Dropped(f"in the language {language!r}")
        return text

    return check


def quality_cleaner() -> Clean:
    """Drops what hardly is a text, by the rules of Rae et al. 2021 (Gopher, A.1.1) that hold for short texts too.

    From ten words on: words of 3 to 10 letters on average (not for scripts without spaces between words), letters in
    80 % of them, at most one # or … to ten words, at most 30 % repeated lines or runs of four words.
    """

    def check(text: str) -> str:
        words = text.split()
        if len(words) < _FEWEST_WORDS:
            return text
        letters = sum(map(len, words)) / len(words)
        if not 3 <= letters <= 10 and text.isascii():
            raise Dropped("words too short or too long to be a text")
        if sum(any(c.isalpha() for c in word) for word in words) < 0.8 * len(words):
            raise Dropped("numbers and symbols instead of words")
        if text.count("#") + text.count("…") + text.count("...") > 0.1 * len(words):
            raise Dropped("more than one # or … to ten words")
        lines = [line for line in map(str.strip, text.splitlines()) if line]
        if repeated_share(lines) > 0.3 or repeated_share(list(zip(*(words[n:] for n in range(4)), strict=False))) > 0.3:
            raise Dropped("the same again and again")
        return text

    return check
